"""Shows a report as GitHub would: `python tests/report/github_page.py report.md page.html`, for a browser to look at.

Tables, alerts and folded parts are laid out as there; diagrams are drawn by the Mermaid that the tests install.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from markdown_it import MarkdownIt

MERMAID = (
    Path(__file__).parents[2] / ".cache" / "mermaid" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
)
ALERTS = {"TIP": "#1a7f37", "WARNING": "#9a6700", "CAUTION": "#cf222e"}
STYLE = """
body { margin: 0; background: #fff; color: #1f2328; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
main { width: 880px; margin: 24px auto; border: 1px solid #d1d9e0; border-radius: 6px; }
header { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; color: #59636e; }
header b { color: #1f2328; } article { padding: 16px; overflow-wrap: break-word; }
h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: .3em; font-size: 1.5em; } h3 { font-size: 1.25em; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; }
table { margin: 0 0 16px; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; } tr:nth-child(2n) { background: #f6f8fa; }
code { background: #818b981f; border-radius: 6px; padding: .2em .4em; font: 85% "DejaVu Sans Mono", monospace; }
pre { background: #f6f8fa; border-radius: 6px; padding: 16px; overflow: auto; }
pre code { background: none; padding: 0; }
pre .add { background: #dafbe1; } pre .del { background: #ffebe9; } details { margin: 0 0 16px; }
.alert { border-left: .25em solid; padding: 8px 16px; margin: 0 0 16px; } .mermaid { text-align: center; }
"""


def page(markdown: str, *, opened: bool) -> str:
    """The page, with folded parts open where asked."""
    body = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown)
    for name, colour in ALERTS.items():
        start = f"<blockquote>\\s*<p>\\\\[!{name}\\\\]\\s*(.*?)</p>\\s*</blockquote>".replace("\\\\", "\\")
        title = f'<div class="alert" style="border-color:{colour}"><b style="color:{colour}">{name.title()}</b><br>'
        body = re.sub(start, lambda found, title=title: f"{title}{found[1]}</div>", body, flags=re.DOTALL)  # type: ignore[misc]
    body = re.sub(
        r'<pre><code class="language-mermaid">(.*?)</code></pre>',
        r'<pre class="mermaid" style="background:none">\1</pre>',
        body,
        flags=re.DOTALL,
    )
    body = re.sub(r'<code class="language-diff">(.*?)</code>', _coloured, body, flags=re.DOTALL)
    if opened:
        body = body.replace("<details>", "<details open>")
    script = f"<script src='{MERMAID.as_uri()}'></script><script>mermaid.initialize({{startOnLoad: true}})</script>"
    return (
        f"<!doctype html><meta charset='utf-8'><style>{STYLE}</style><main><header><b>github-actions</b> bot commented"
        f"</header><article>{body}</article></main>{script}"
    )


def _coloured(found: re.Match[str]) -> str:
    lines = (
        f'<span class="{"add" if line[:1] == "+" else "del" if line[:1] == "-" else ""}">{line}</span>'
        for line in found[1].splitlines()
    )
    return "<code>" + "\n".join(lines) + "</code>"


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.write_text(page(source.read_text(encoding="utf-8"), opened="--open" in sys.argv), encoding="utf-8")
