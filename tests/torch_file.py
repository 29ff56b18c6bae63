"""pytorch_model.bin without PyTorch: the pickle that torch.save writes for a dict of float32 tensors, in its zip archive or in the older stream.

    torch_file.save(path, [(name, shape, floats), …])
"""
import collections
import functools
import io
import pickle
import struct
import sys
import types
import zipfile


@functools.cache
def stand_in(module, name):
    """What pickles as the global module.name."""
    made = types.FunctionType((lambda *a: None).__code__, {}, name)
    made.__module__, made.__qualname__ = module, name
    modules = {".".join(module.split(".")[:n + 1]) for n in range(module.count(".") + 1)}
    for each in modules:
        sys.modules.setdefault(each, types.ModuleType(each))
    setattr(sys.modules[module], name, made)
    return made


class Storage:
    def __init__(self, key, count, stream):
        self.id = ("storage", stand_in("torch", "FloatStorage"), key, "cpu", count) + ((None,) if stream else ())


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, tuple(shape)

    def __reduce__(self):
        strides, n = [], 1
        for d in reversed(self.shape):
            strides.insert(0, n)
            n *= d
        rebuild = stand_in("torch._utils", "_rebuild_tensor_v2")
        return rebuild, (self.storage, 0, self.shape, tuple(strides), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        return obj.id if isinstance(obj, Storage) else None


def pickled(value, protocol=2):
    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


def save(path, tensors, stream=False, more=None, protocol=2):
    """more: other things in the dict."""
    state, data = collections.OrderedDict(more or {}), []
    for i, (name, shape, values) in enumerate(tensors):
        state[name] = Tensor(Storage(str(i), len(values), stream), shape)
        data.append(struct.pack(f"<{len(values)}f", *values))
    if stream:
        front = 0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}, state, [str(i) for i in range(len(data))]
        parts = [pickled(x, protocol) for x in front] + [struct.pack("<q", len(d) // 4) + d for d in data]
        path.write_bytes(b"".join(parts))
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/data.pkl", pickled(state, protocol))
        for i, d in enumerate(data):
            archive.writestr(f"model/data/{i}", d)
