"""
Writes cnn.onnx and vit.onnx with their first weights: python export.py FOLDER

Needs the packages of fixtures/gradient/requirements.txt. The files that this wrote are in models/, so the benchmark
runs without them.
"""
import logging
import os
import sys

import onnx
import torch

from networks import network

logging.disable(logging.WARNING)


def export(name, folder):
    """One network as the default exporter of PyTorch writes it, with any number of rows."""
    program = torch.onnx.export(
        network(name).eval(), (torch.zeros(2, 1, 28, 28),), dynamo=True, verbose=False, opset_version=20,
        input_names=["image"], output_names=["logits"], dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    model = onnx.load_from_string(program.model_proto.SerializeToString())
    # Stack traces and source paths differ from machine to machine.
    model.ClearField("metadata_props")
    for entry in [model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input,
                  *model.graph.output, *model.graph.initializer]:
        entry.ClearField("metadata_props")
        entry.doc_string = ""
    path = os.path.join(folder, f"{name}.onnx")
    onnx.save(model, path)
    print(f"{path}: {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in ("cnn", "vit"):
        export(name, sys.argv[1])
