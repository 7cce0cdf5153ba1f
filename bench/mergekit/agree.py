"""Sends random recipes to a running service and to mergekit itself, and compares every value.

    pip install -r bench/mergekit/requirements.txt
    AMALGAM_FILES=.bench/agree deno task serve                     # in another terminal
    python bench/mergekit/agree.py --folder .bench/agree --recipes 100 --seed 1

The models are small Llamas with random weights, which the script writes into the folder. Recipes vary the method, the
models, slices, and parameters as numbers, gradients over layers, and filters. They are computed in float32 and sent
with `compat: mergekit`. A difference is a value further apart than 2e-6, or, where the result is written in 16 bits,
than the next number, or more than one in a thousand that was not rounded alike. `sce` with one model is left out: mergekit adds a dimension to it.
"""

import argparse
import json
import os
import random
import shutil
import urllib.error
import urllib.request

import torch
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from safetensors.torch import load, load_file, save_file

LAYERS, HIDDEN, INNER, WORDS = 6, 64, 160, 320
EXPERTS = ("a", "b", "c")
FILTERS = ("mlp", "self_attn", "q_proj", "layers.1", "norm", "lm_head", "embed", "down_proj.weight")
# Fewest and most models, and whether a base is needed ("first": it is the first model; "any": either way).
METHODS = {
    "linear": (2, 3, None),
    "task_arithmetic": (1, 3, "base"),
    "ties": (1, 3, "base"),
    "breadcrumbs": (1, 3, "base"),
    "breadcrumbs_ties": (1, 3, "base"),
    "slerp": (2, 2, "first"),
    "nuslerp": (2, 2, "any"),
    "multislerp": (2, 3, "any"),
    "karcher": (2, 3, None),
    "model_stock": (2, 3, "base"),
    "sce": (2, 3, "base"),
    "nearswap": (1, 1, "base"),
    "passthrough": (1, 1, None),
}


def shapes():
    yield "model.embed_tokens.weight", (WORDS, HIDDEN)
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (HIDDEN,)
        yield at + "post_attention_layernorm.weight", (HIDDEN,)
        yield at + "mlp.down_proj.weight", (HIDDEN, INNER)
        yield at + "mlp.gate_proj.weight", (INNER, HIDDEN)
        yield at + "mlp.up_proj.weight", (INNER, HIDDEN)
        for name, rows in (("q", HIDDEN), ("k", HIDDEN // 2), ("v", HIDDEN // 2), ("o", HIDDEN)):
            yield at + f"self_attn.{name}_proj.weight", (rows, HIDDEN)
    yield "model.norm.weight", (HIDDEN,)
    yield "lm_head.weight", (WORDS, HIDDEN)


def write_models(folder):
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 16, "vocab_size": WORDS, "rms_norm_eps": 1e-6,
        "max_position_embeddings": 128, "torch_dtype": "float32", "tie_word_embeddings": False,
    }
    generator = torch.Generator().manual_seed(1)

    def noise(shape, scale):
        return torch.randn(shape, generator=generator) * scale

    base = {name: noise(shape, 0.02) + (len(shape) == 1) for name, shape in shapes()}
    for model in ("base", *EXPERTS):
        tensors = base if model == "base" else {n: t + noise(t.shape, 0.005) for n, t in base.items()}
        os.makedirs(f"{folder}/{model}", exist_ok=True)
        save_file(tensors, f"{folder}/{model}/model.safetensors", metadata={"format": "pt"})
        with open(f"{folder}/{model}/config.json", "w") as file:
            json.dump(config, file)


class Recipes:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def number(self, low, high):
        return round(self.random.uniform(low, high), 3)

    def gradient(self, low, high):
        return [self.number(low, high) for _ in range(self.random.randint(1, 5))]

    def value(self, low, high):
        """A number, a gradient, or a list of filters that ends with one that matches all."""
        if self.chance(0.4):
            return self.number(low, high)
        if self.chance(0.4):
            return self.gradient(low, high)
        filtered = [
            {"filter": self.random.choice(FILTERS),
             "value": self.number(low, high) if self.chance(0.6) else self.gradient(low, high)}
            for _ in range(self.random.randint(1, 3))
        ]
        rest = {"value": self.number(low, high)}
        return [*filtered, rest if self.chance(0.8) else {"filter": "*", **rest}]

    def of_model(self, method):
        made = {}
        if method in ("linear", "nuslerp", "multislerp", "task_arithmetic", "ties") or "crumbs" in method:
            made["weight"] = self.value(0.05, 1.2)
        if method == "ties" or "crumbs" in method:
            made["density"] = self.value(0.3, 0.95)
        if "crumbs" in method:
            made["gamma"] = self.number(0.02, 0.2)
        if method == "passthrough" and self.chance(0.6):
            made["scale"] = self.value(0.1, 2)
        return made

    def of_merge(self, method):
        made = {}
        if method == "slerp":
            made["t"] = self.value(0, 1)
        if method == "nearswap":
            made["t"] = self.number(1e-4, 0.01)
        if method == "linear" and self.chance(0.4):
            made["normalize"] = False
        if method in ("ties", "task_arithmetic", "breadcrumbs_ties"):
            if self.chance(0.4):
                made["normalize"] = self.chance(0.5)
            if self.chance(0.4):
                made["lambda"] = self.number(0.2, 1.5)
        if method == "sce":
            made["select_topk"] = self.number(0.2, 1)
        if method == "nuslerp" and self.chance(0.5):
            made |= {"nuslerp_flatten": False, "nuslerp_row_wise": self.chance(0.5)}
        if method == "model_stock" and self.chance(0.5):
            made["filter_wise"] = True
        return made

    def slices(self, method, models, base):
        for _ in range(self.random.randint(1, 3)):
            start = self.random.randint(0, LAYERS - 2)
            layers = {"layer_range": [start, self.random.randint(start + 1, LAYERS)]}
            sources = [{"model": m, **layers, "parameters": self.of_model(method)} for m in models]
            if base is not None and base not in models:
                sources.insert(self.random.randint(0, len(sources)), {"model": base, **layers})
            yield {"sources": sources}

    def recipe(self):
        method = self.random.choice(list(METHODS))
        fewest, most, needs = METHODS[method]
        models = self.random.sample(EXPERTS, self.random.randint(fewest, most))
        made = {"merge_method": method, "dtype": "float32", "parameters": self.of_merge(method)}
        wanted = needs == "base" or (needs == "any" and self.chance(0.5))
        base = "base" if wanted else models[0] if needs == "first" else None
        if base is not None:
            made["base_model"] = base
        if self.chance(0.35):
            made["slices"] = list(self.slices(method, models, base))
        else:
            made["models"] = [{"model": m, "parameters": self.of_model(method)} for m in models]
        if self.chance(0.2):
            made["out_dtype"] = self.random.choice(["bfloat16", "float16"])
        return made


def theirs(recipe, folder):
    """mergekit's result; models are named by their folders."""
    out = f"{folder}/merged"
    shutil.rmtree(out, ignore_errors=True)
    options = MergeOptions(copy_tokenizer=False, clone_tensors=True, write_model_card=False, quiet=True)
    here = os.getcwd()
    os.chdir(folder)
    try:
        run_merge(MergeConfiguration.model_validate(recipe), "merged", options=options)
    finally:
        os.chdir(here)
    return load_file(f"{out}/model.safetensors")


def ours(recipe, origin):
    sources = {name: {"path": name} for name in ("base", *EXPERTS) if f'"{name}"' in json.dumps(recipe)}
    document = {**recipe, "compat": "mergekit", "sources": sources}
    request = urllib.request.Request(
        f"{origin}/merge", json.dumps(document).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return load(answer.read())
    except urllib.error.HTTPError as error:
        raise SystemExit(f"The service refuses {json.dumps(document)}: {error.read().decode()}")


def difference(expected, actual, rounded):
    """What differs, in words, or None; and the largest distance."""
    if expected.keys() != actual.keys():
        return f"names {sorted(expected.keys() ^ actual.keys())[:3]}", 0
    largest, apart, unlike, values = 0, 0, 0, 0
    for name, tensor in expected.items():
        if tensor.shape != actual[name].shape or tensor.dtype != actual[name].dtype:
            return f"{name}: {tensor.dtype} {tensor.shape}, {actual[name].dtype} {actual[name].shape}", 0
        distance = (tensor.double() - actual[name].double()).abs()
        step = torch.finfo(tensor.dtype).eps * tensor.double().abs() if rounded else 0
        largest = max(largest, distance.max().item())
        apart += int((distance > step + 2e-6).sum())
        unlike += int((distance > 0).sum())
        values += distance.numel()
    if apart > 0:
        return f"{apart} values", largest
    return (f"the rounding of {unlike} values" if rounded and unlike > values / 1000 else None), largest


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--folder", default=".bench/agree")
    arguments.add_argument("--origin", default="http://127.0.0.1:8000")
    arguments.add_argument("--recipes", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    write_models(asked.folder)
    recipes, table, differing = Recipes(asked.seed), {}, 0
    for _ in range(asked.recipes):
        recipe = recipes.recipe()
        rounded = "out_dtype" in recipe
        what, largest = difference(
            theirs(recipe, asked.folder), ours(recipe, asked.origin), rounded)
        if what is not None:
            differing += 1
            print(f"differs in {what}, at most {largest:.2e}: {json.dumps(recipe)}")
        method = recipe["merge_method"]
        count, most, most_rounded = table.get(method, (0, 0, 0))
        table[method] = (count + 1, *((most, max(most_rounded, largest)) if rounded else
                                     (max(most, largest), most_rounded)))
    print(f"{'method':18} recipes  largest difference  written in 16 bits")
    for method, (count, most, most_rounded) in sorted(table.items()):
        print(f"{method:18} {count:7}  {most:18.1e}  {most_rounded:18.1e}")
    print(f"{asked.recipes - differing} agree, {differing} differ")


if __name__ == "__main__":
    main()
