#!/usr/bin/env python3
"""Adapters of peft's that cannot be merged or contradict themselves: one clear line; and a small one that can."""
import json
import sys

from refusal import COUNT, Ground, finished, refused

import tiny_bert

GROUND = Ground(train=40, dev=10)
FOLDER = GROUND.fresh()
ADAPTER = FOLDER / "adapter"
ADAPTER.mkdir()
TRAIN = ["train", "tiny.yaml", "--name", "x", "--set", "train.max_steps=1", "--set", "model.name_or_path=adapter"]
QUERY = "base_model.model.bert.encoder.layer.1.attention.self.query"
H = tiny_bert.HIDDEN
GOOD = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "model", "r": 2, "lora_alpha": 4,
        "target_modules": ["query"], "bias": "none", "use_dora": False, "modules_to_save": None, "rank_pattern": {}}
TENSORS = {f"{QUERY}.lora_A.weight": (2, H), f"{QUERY}.lora_B.weight": (H, 2),
           "base_model.model.classifier.weight": (2, H), "base_model.model.classifier.bias": (2,)}


def write(settings=GOOD, tensors=TENSORS, value=None):
    for left in ADAPTER.iterdir():
        left.unlink()
    (ADAPTER / "adapter_config.json").write_text(settings if isinstance(settings, str) else json.dumps(settings))
    if tensors is not None:
        (ADAPTER / "adapter_model.safetensors").write_bytes(tiny_bert.packed(tensors, value))


def with_settings(name, change, *said, words=TRAIN):
    write({**GOOD, **change})
    refused(name, FOLDER, words, "adapter_config.json", *said)


def with_tensors(name, change, *said, value=None):
    write(tensors={k: v for k, v in {**TENSORS, **change}.items() if v}, value=value)
    refused(name, FOLDER, TRAIN, *said)


def answers(model):
    done = finished(["predict", model, "--text", "a good film", "--json"], FOLDER)
    return json.loads(done.stdout) if COUNT.check(f"predict {model}", done.returncode == 0, done.stderr[-1500:]) else {}


def test_good():
    write()
    found = answers("adapter")
    COUNT.check("labels without names", set(found.get("scores", {})) == {"LABEL_0", "LABEL_1"}, found)
    write({**GOOD, "lora_alpha": 40})
    COUNT.check("the scale counts", answers("adapter").get("logits") != found.get("logits"), found)
    write({**GOOD, "alpha_pattern": {"attention.self.query": 40}})
    other = answers("adapter").get("logits")
    write({**GOOD, "alpha_pattern": {"self.key": 40, "uery": 9}})
    COUNT.check("the scale of some counts", other != found.get("logits") == answers("adapter").get("logits"), (other, found))
    for words in (["train", "tiny.yaml", "--set", "model.name_or_path=adapter", "--set", "train.max_steps=2", "--name", "ok"],
                  ["check", "tiny.yaml", "--set", "model.name_or_path=adapter"],
                  ["tokenize", "adapter", "dev.tsv"], ["data", "dev.tsv", "--model", "adapter"]):
        done = finished(words, FOLDER)
        COUNT.check(" ".join(words), done.returncode == 0, done.stderr[-1500:])
    COUNT.check("the vocabulary goes along", (FOLDER / "runs/ok/last/vocab.txt").exists())


def test_settings():
    with_settings("other method", {"peft_type": "IA3"}, 'peft_type "IA3", expected LORA')
    with_settings("prefix tuning", {"peft_type": None}, 'peft_type "", expected LORA')
    with_settings("dora", {"use_dora": True}, "use_dora is set")
    with_settings("bias of a product", {"lora_bias": True}, "lora_bias is set")
    with_settings("tokens", {"trainable_token_indices": [1, 2]}, "trainable_token_indices is set")
    with_settings("layers again", {"layer_replication": [[0, 2]]}, "layer_replication is set")
    with_settings("changes the base", {"init_lora_weights": "pissa_niter_4"}, 'init_lora_weights "pissa_niter_4" changes the base')
    with_settings("expression", {"alpha_pattern": {"^layer\\.[01]": 2}}, "is a regular expression")
    with_settings("alpha of no number", {"alpha_pattern": {"query": "much"}}, "query is not a number")
    with_settings("no base", {"base_model_name_or_path": None}, "no base_model_name_or_path, expected the base model")
    with_settings("base gone", {"base_model_name_or_path": "some/where"}, "base_model_name_or_path", "some/where", "bertty pull some/where")
    with_settings("base gone, predict", {"base_model_name_or_path": "/no/where"}, "/no/where: no such file or directory",
                  words=["predict", "adapter", "--text", "good"])
    with_settings("on itself", {"base_model_name_or_path": "adapter"}, "is an adapter itself, expected a whole model")
    write("[1]")
    refused("no object", FOLDER, TRAIN, "adapter_config.json: not a JSON object")
    write("{")
    refused("no JSON", FOLDER, TRAIN, "adapter_config.json")
    write(tensors=None)
    refused("no weights", FOLDER, TRAIN, "adapter: no weights, expected adapter_model.safetensors")


def test_tensors():
    layer9 = QUERY.replace("layer.1", "layer.9")
    with_tensors("only A", {f"{QUERY}.lora_B.weight": None}, "query.weight has only lora_A")
    with_tensors("no product", {f"{QUERY}.lora_A.weight": None, f"{QUERY}.lora_B.weight": None}, "no lora_A and lora_B")
    with_tensors("no such layer", {f"{layer9}.lora_A.weight": (2, H)}, "lora_A.weight", "has no matrix bert.encoder.layer.9")
    with_tensors("columns", {f"{QUERY}.lora_A.weight": (2, H + 1)}, "lora_A.weight does not fit the matrix")
    with_tensors("rows", {f"{QUERY}.lora_B.weight": (H - 1, 2)}, "lora_B.weight does not fit the matrix")
    with_tensors("ranks", {f"{QUERY}.lora_B.weight": (H, 3)}, "lora_A has 2 rows, lora_B has 3 columns")
    with_tensors("a matrix of its own", {f"{QUERY}.base_layer.weight": (H + 1, H)}, "query.weight has another shape than its lora_A and lora_B")
    with_tensors("magnitudes", {f"{QUERY}.lora_magnitude_vector": (H,)}, "expected only lora_A and lora_B")
    with_tensors("embedding", {"base_model.model.bert.embeddings.word_embeddings.lora_embedding_A": (2, 5)}, "lora_embedding_A")
    untied = {**TENSORS, "base_model.model.cls.predictions.decoder.weight": (len(tiny_bert.VOCAB), H)}
    write(tensors=untied)
    mlm = ["--set", "task.type=mlm", "--set", "data.label_column=null"]
    refused("a decoder of its own", FOLDER, TRAIN + mlm, "decoder.weight is not the word embedding, expected a tied decoder")
    with_tensors("too large", {}, "not finite", value=3e38)
    with_tensors("NaN", {}, "lora_A.weight", value=float("nan"))


if __name__ == "__main__":
    code = COUNT.run([test_good, test_settings, test_tensors])
    GROUND.remove()
    sys.exit(code)
