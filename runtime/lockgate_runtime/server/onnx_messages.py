"""ONNX models as messages, by the protobuf library alone: those fields that are read or written here, by their numbers.

What is not named here is kept as it came. The onnx package reads models too, and costs each worker four times the
memory and time to import. Fields: https://github.com/onnx/onnx/blob/main/onnx/onnx-ml.proto
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Message: TypeAlias = Any
"""A class that is made here has no static type."""

FLOAT, INT64, STRING = 1, 7, 8
"""Types of a tensor's elements."""

_ELEMENTS = {"float32": FLOAT, "int64": INT64}
_SINGLE = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
_REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
_TYPES = {
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
}
_FIELDS = {
    "Model": "ir_version=1:int64 graph=7:Graph opset_import=8*:Opset",
    "Opset": "domain=1:string version=2:int64",
    "Graph": "node=1*:Node name=2:string initializer=5*:Tensor input=11*:Value output=12*:Value value_info=13*:Value",
    "Node": "input=1*:string output=2*:string op_type=4:string attribute=5*:Attribute domain=7:string",
    "Attribute": "name=1:string i=3:int64 g=6:Graph strings=9*:bytes graphs=11*:Graph type=20:int32",
    "Tensor": "dims=1*:int64 data_type=2:int32 name=8:string raw_data=9:bytes",
    "Value": "name=1:string type=2:Type",
    "Type": "tensor_type=1:TensorType",
    "TensorType": "elem_type=1:int32 shape=2:Shape",
    "Shape": "dim=1*:Dimension",
    "Dimension": "dim_value=1:int64",
}
"""Name, number, a star for many, and type."""
_INT_ATTRIBUTE = 2


def _classes() -> dict[str, Message]:
    file = descriptor_pb2.FileDescriptorProto(name="onnx.proto", package="onnx", syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field in fields.split():
            title, _, rest = field.partition("=")
            number, _, kind = rest.partition(":")
            label = _REPEATED if number.endswith("*") else _SINGLE
            added = message.field.add(name=title, number=int(number.rstrip("*")), label=label)
            if kind in _TYPES:
                added.type = _TYPES[kind]
            else:
                added.type, added.type_name = (
                    descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
                    f".onnx.{kind}",
                )
    pool = descriptor_pool.DescriptorPool()  # Of its own, so that the onnx package may be there as well.
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"onnx.{name}")) for name in _FIELDS
    }


_MADE = _classes()


def read_model(data: bytes) -> Message:
    """Raises `google.protobuf.message.DecodeError` where the bytes are no message."""
    return _MADE["Model"].FromString(data)


def new_model(like: Message, graph: Message) -> Message:
    """A model of the graph, with the versions of another."""
    return _MADE["Model"](ir_version=like.ir_version, opset_import=like.opset_import, graph=graph)


def new_graph(
    nodes: Sequence[Message], inputs: Sequence[Message], outputs: Sequence[str], constants: Sequence[Message]
) -> Message:
    """A graph whose outputs have the types that follow from its nodes."""
    values = [_MADE["Value"](name=name) for name in outputs]
    return _MADE["Graph"](name="graph", node=nodes, input=inputs, output=values, initializer=constants)


def new_node(operator: str, inputs: Sequence[str], output: str, **numbers: int) -> Message:
    """Of the standard operators, with whole numbers as attributes."""
    attributes = [
        _MADE["Attribute"](name=name, i=value, type=_INT_ATTRIBUTE) for name, value in numbers.items()
    ]
    return _MADE["Node"](op_type=operator, input=inputs, output=[output], attribute=attributes)


def new_rows(name: str, width: int) -> Message:
    """An input of float32 (n, width)."""
    dimensions = [_MADE["Dimension"](), _MADE["Dimension"](dim_value=width)]
    tensor = _MADE["TensorType"](elem_type=FLOAT, shape=_MADE["Shape"](dim=dimensions))
    return _MADE["Value"](name=name, type=_MADE["Type"](tensor_type=tensor))


def new_constant(name: str, array: NDArray[Any]) -> Message:
    """A tensor of float32 or int64."""
    little = array.astype(array.dtype.newbyteorder("<"))
    return _MADE["Tensor"](
        name=name, dims=array.shape, data_type=_ELEMENTS[array.dtype.name], raw_data=little.tobytes()
    )


def attribute(node: Message, name: str) -> int | None:
    """A whole number; None where it has none of that name."""
    return next((it.i for it in node.attribute if it.name == name), None)
