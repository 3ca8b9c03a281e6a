"""The keys that Kubernetes and Argo Rollouts know at each level of what is written, so that no typing error is lost.

A patch makes the maps that are missing on its way: one wrong letter would make a map that nobody reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.spec.validate import quote, suggest
from lockgate.targets.kubernetes.shape import Pointer, as_map, maps
from lockgate.tuples import NamedTuple

Table: TypeAlias = Mapping[str, str]
"""Known keys by the dotted path of the map that has them; `*` stands for each item of a list."""

_SECCOMP, _LABEL_SELECTOR = "localhostProfile type", "matchExpressions matchLabels"
_RUN_AS = "appArmorProfile runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile windowsOptions"  # fmt: skip
_METADATA = "annotations finalizers labels name namespace ownerReferences"
_PROBE = (
    "exec failureThreshold grpc httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket"
    " terminationGracePeriodSeconds timeoutSeconds"
)
_HTTP_GET = "host httpHeaders path port protocol scheme"
_DELAYS = (
    "abortScaleDownDelaySeconds antiAffinity maxUnavailable scaleDownDelayRevisionLimit scaleDownDelaySeconds"
)
_ANALYSIS = "analysisRunMetadata args dryRun measurementRetention templates"
# What an InferenceService's predictor holds besides the fields of a pod, without what Standard mode silently ignores.
PREDICTOR_FIELDS = frozenset(
    {
        "annotations",
        "autoScaling",
        "batcher",
        "deploymentStrategy",
        "labels",
        "logger",
        "maxReplicas",
        "minReplicas",
        "scaleMetric",
        "scaleMetricType",
        "scaleTarget",
        "timeout",
    }
)

POD: Table = {
    "affinity": "nodeAffinity podAffinity podAntiAffinity",
    "securityContext": f"{_RUN_AS} fsGroup fsGroupChangePolicy seLinuxChangePolicy supplementalGroups"
    " supplementalGroupsPolicy sysctls",
    "securityContext.seccompProfile": _SECCOMP,
    "tolerations.*": "effect key operator tolerationSeconds value",
    "topologySpreadConstraints.*": "labelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy"
    " nodeTaintsPolicy topologyKey whenUnsatisfiable",
    "topologySpreadConstraints.*.labelSelector": _LABEL_SELECTOR,
}
CONTAINER: Table = {
    "env.*": "name value valueFrom",
    "lifecycle": "postStart preStop stopSignal",
    "lifecycle.preStop": "exec httpGet sleep tcpSocket",
    "livenessProbe": _PROBE,
    "livenessProbe.httpGet": _HTTP_GET,
    "ports.*": "containerPort hostIP hostPort name protocol",
    "readinessProbe": _PROBE,
    "readinessProbe.httpGet": _HTTP_GET,
    "resources": "claims limits requests",
    "securityContext": f"{_RUN_AS} allowPrivilegeEscalation capabilities privileged procMount readOnlyRootFilesystem",
    "securityContext.capabilities": "add drop",
    "securityContext.seccompProfile": _SECCOMP,
    "startupProbe": _PROBE,
    "startupProbe.httpGet": _HTTP_GET,
    "volumeMounts.*": "mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr",
}
_WORKLOAD: Table = {
    "spec.selector": _LABEL_SELECTOR,
    "spec.template": "metadata spec",
    "spec.template.metadata": "annotations labels",
}
OBJECTS: Mapping[str, Table] = {
    "Deployment": {
        **_WORKLOAD,
        "": "apiVersion kind metadata spec",
        "spec": "minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector strategy"
        " template",
        "spec.strategy": "rollingUpdate type",
        "spec.strategy.rollingUpdate": "maxSurge maxUnavailable",
    },
    "Rollout": {
        **_WORKLOAD,
        "": "apiVersion kind metadata spec",
        "spec": "analysis minReadySeconds paused progressDeadlineAbort progressDeadlineSeconds replicas restartAt"
        " revisionHistoryLimit rollbackWindow selector strategy template workloadRef",
        "spec.rollbackWindow": "revisions",
        "spec.strategy": "blueGreen canary",
        "spec.strategy.blueGreen": f"{_DELAYS} activeMetadata activeService autoPromotionEnabled autoPromotionSeconds"
        " postPromotionAnalysis prePromotionAnalysis previewMetadata previewReplicaCount previewService",
        "spec.strategy.canary": f"{_DELAYS} analysis canaryMetadata canaryService dynamicStableScale maxSurge"
        " minPodsPerReplicaSet pingPong replicaProgressThreshold stableMetadata stableService steps trafficRouting",
        "spec.strategy.canary.steps.*": "analysis experiment pause plugin setCanaryScale setHeaderRoute"
        " setMirrorRoute setWeight",
        "spec.strategy.canary.analysis": f"{_ANALYSIS} startingStep",
        "spec.strategy.canary.steps.*.pause": "duration",
        "spec.strategy.canary.steps.*.setCanaryScale": "matchTrafficWeight replicas weight",
        "spec.strategy.canary.steps.*.setHeaderRoute": "match name",
        "spec.strategy.canary.steps.*.setMirrorRoute": "match name percentage",
        "spec.strategy.canary.steps.*.setMirrorRoute.match.*": "headers method path",
        "spec.strategy.canary.trafficRouting": "alb ambassador apisix appMesh istio managedRoutes maxTrafficWeight"
        " nginx plugins smi traefik",
        "spec.strategy.canary.trafficRouting.istio": "destinationRule virtualService virtualServices",
        "spec.strategy.canary.trafficRouting.istio.virtualService": "name routes tcpRoutes tlsRoutes",
        "spec.strategy.canary.trafficRouting.managedRoutes.*": "name",
        "spec.strategy.blueGreen.postPromotionAnalysis": _ANALYSIS,
        "spec.strategy.blueGreen.prePromotionAnalysis": _ANALYSIS,
        "spec.workloadRef": "apiVersion kind name scaleDown",
    },
    "HorizontalPodAutoscaler": {
        "": "apiVersion kind metadata spec",
        "spec": "behavior maxReplicas metrics minReplicas scaleTargetRef",
        "spec.scaleTargetRef": "apiVersion kind name",
    },
    "PodDisruptionBudget": {
        "": "apiVersion kind metadata spec",
        "spec": "maxUnavailable minAvailable selector unhealthyPodEvictionPolicy",
        "spec.selector": _LABEL_SELECTOR,
    },
    "Service": {
        "": "apiVersion kind metadata spec",
        "spec": "allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy"
        " healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP"
        " loadBalancerSourceRanges ports publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig"
        " trafficDistribution type",
        "spec.ports.*": "appProtocol name nodePort port protocol targetPort",
    },
    "NetworkPolicy": {
        "": "apiVersion kind metadata spec",
        "spec": "egress ingress podSelector policyTypes",
        "spec.egress.*": "ports to",
        "spec.egress.*.ports.*": "endPort port protocol",
        "spec.egress.*.to.*": "ipBlock namespaceSelector podSelector",
        "spec.ingress.*": "from ports",
        "spec.ingress.*.from.*": "ipBlock namespaceSelector podSelector",
        "spec.ingress.*.ports.*": "endPort port protocol",
        "spec.podSelector": _LABEL_SELECTOR,
    },
    "AnalysisTemplate": {
        "": "apiVersion kind metadata spec",
        "spec": "args dryRun measurementRetention metrics templates",
        "spec.metrics.*": "consecutiveErrorLimit consecutiveSuccessLimit count failureCondition failureLimit"
        " inconclusiveLimit initialDelay interval name provider successCondition",
        "spec.metrics.*.provider.prometheus": "address authentication headers insecure query rangeQuery timeout",
    },
    "HTTPRoute": {
        "": "apiVersion kind metadata spec",
        "spec": "hostnames parentRefs rules",
        "spec.parentRefs.*": "group kind name namespace port sectionName",
        "spec.rules.*": "backendRefs filters matches name timeouts",
        "spec.rules.*.backendRefs.*": "filters group kind name namespace port weight",
        "spec.rules.*.matches.*": "headers method path queryParams",
    },
    "VirtualService": {
        "": "apiVersion kind metadata spec",
        "spec": "exportTo gateways hosts http tcp tls",
        "spec.http.*": "corsPolicy delegate directResponse fault headers match mirror mirrorPercentage mirrors name"
        " redirect retries rewrite route timeout",
        "spec.http.*.match.*": "authority gateways headers ignoreUriCase method name port queryParams scheme"
        " sourceLabels sourceNamespace statPrefix uri withoutHeaders",
        "spec.http.*.match.*.uri": "exact prefix regex",
        "spec.http.*.retries": "attempts backoff perTryTimeout retryIgnorePreviousHosts retryOn"
        " retryRemoteLocalities",
        "spec.http.*.route.*": "destination headers weight",
        "spec.http.*.route.*.destination": "host port subset",
        "spec.http.*.route.*.destination.port": "number",
    },
    "PodMonitor": {
        "": "apiVersion kind metadata spec",
        "spec": "attachMetadata bodySizeLimit convertClassicHistogramsToNHCB fallbackScrapeProtocol jobLabel"
        " keepDroppedTargets labelLimit labelNameLengthLimit labelValueLengthLimit namespaceSelector"
        " nativeHistogramBucketLimit nativeHistogramMinBucketFactor podMetricsEndpoints podTargetLabels sampleLimit"
        " scrapeClass scrapeClassicHistograms scrapeNativeHistograms scrapeProtocols selector selectorMechanism"
        " targetLimit",
        "spec.podMetricsEndpoints.*": "authorization basicAuth bearerTokenSecret enableHttp2 filterRunning"
        " followRedirects honorLabels honorTimestamps interval metricRelabelings noProxy oauth2 params path port"
        " portNumber proxyConnectHeader proxyFromEnvironment proxyUrl relabelings scheme scrapeTimeout targetPort"
        " tlsConfig trackTimestampsStaleness",
        "spec.selector": _LABEL_SELECTOR,
    },
    "ScaledObject": {
        "": "apiVersion kind metadata spec",
        "spec": "advanced cooldownPeriod fallback idleReplicaCount initialCooldownPeriod maxReplicaCount"
        " minReplicaCount pollingInterval scaleTargetRef triggers",
        "spec.fallback": "behavior failureThreshold replicas",
        "spec.scaleTargetRef": "apiVersion envSourceContainerName kind name",
        "spec.triggers.*": "authenticationRef metadata metricType name type useCachedMetrics",
    },
    "InferenceService": {
        "": "apiVersion kind metadata spec",
        "spec": "canary explainer predictor transformer",
        "spec.predictor.deploymentStrategy": "rollingUpdate type",
        "spec.predictor.deploymentStrategy.rollingUpdate": "maxSurge maxUnavailable",
    },
    "ServiceAccount": {"": "apiVersion automountServiceAccountToken imagePullSecrets kind metadata secrets"},
    "Namespace": {"": "apiVersion kind metadata spec"},
}
METADATA: Table = {"metadata": _METADATA}


class Level(NamedTuple):
    """A row of a table, split once for the many objects that it is held against."""

    path: tuple[str, ...]
    known: Collection[str]


class UnknownKey(NamedTuple):
    pointer: Pointer
    message: str
    help: str


def levels(table: Table) -> tuple[Level, ...]:
    return tuple(
        Level(tuple(path.split(".")) if path else (), dict.fromkeys(listed.split()))
        for path, listed in table.items()
    )


def unknown_keys(block: Mapping[str, Any], table: Iterable[Level]) -> Iterator[UnknownKey]:
    """The keys that are not known at their level; levels that the table does not name are not looked at."""
    for path, known in table:
        for pointer, level in _levels(block, path, ()):
            for key in level:
                if key not in known:
                    where = ".".join(path).removesuffix(".*") or "the object"
                    message = f"{quote(key)} is no field of {where}"
                    yield UnknownKey((*pointer, key), message, suggest(str(key), known))


def _levels(
    block: Mapping[str, Any], path: tuple[str, ...], pointer: Pointer
) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    if not path:
        yield pointer, block
    elif path[0] not in block:
        return
    elif path[1:2] == ("*",):
        for index, item in maps(block, path[0]):
            yield from _levels(item, path[2:], (*pointer, path[0], index))
    else:
        yield from _levels(as_map(block.get(path[0])), path[1:], (*pointer, path[0]))
