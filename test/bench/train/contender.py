"""The PyTorch contender of train.bench.ts: answers one JSON request a line. Argument: `sparse` (row-sparse Adam for the embedding) or `dense`."""
import json
import sys
import time

import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SPARSE = sys.argv[1] == "sparse"
torch.set_num_threads(1)
torch.set_flush_denormal(True)


class Model(torch.nn.Module):
    def __init__(self, vocabulary, size, bidirectional):
        super().__init__()
        self.bidirectional = bidirectional
        self.embedding = torch.nn.Embedding(vocabulary, size, sparse=SPARSE)
        self.lstm = torch.nn.LSTM(size, size, bidirectional=bidirectional)
        self.head = torch.nn.Linear(size * (2 if bidirectional else 1), 2)

    def parameters_in_order(self):
        """Pairs of a parameter and whether our matrix is its transpose, in the order of our layout. PyTorch's second bias has no counterpart."""
        yield self.embedding.weight, False
        for suffix in ["_l0", "_l0_reverse"] if self.bidirectional else ["_l0"]:
            yield getattr(self.lstm, "weight_ih" + suffix), True
            yield getattr(self.lstm, "weight_hh" + suffix), True
            yield getattr(self.lstm, "bias_ih" + suffix), False
        yield self.head.weight, True
        yield self.head.bias, False

    def forward(self, ids, lengths):
        x = self.embedding(ids.t())
        full = bool((lengths == ids.shape[1]).all())
        y, (h, _) = self.lstm(x if full else pack_padded_sequence(x, lengths, enforce_sorted=False))
        if not self.bidirectional:
            return self.head(h[0])
        if full:
            return self.head(y.mean(0))
        y, _ = pad_packed_sequence(y, total_length=ids.shape[1])
        return self.head(y.sum(0) / lengths.unsqueeze(1))


class Contender:
    def load(self, request):
        self.model = Model(request["vocabulary"], request["size"], request["bidirectional"])
        weights = torch.from_numpy(numpy.fromfile(request["weights"], dtype="<f4"))
        offset = 0
        with torch.no_grad():
            for name, parameter in self.model.lstm.named_parameters():
                if name.startswith("bias_hh"):
                    parameter.zero_()
            for parameter, transposed in self.model.parameters_in_order():
                count = parameter.numel()
                values = weights[offset : offset + count]
                parameter.copy_(values.view(parameter.shape[::-1]).t() if transposed else values.view(parameter.shape))
                offset += -(-count // 4) * 4
        settings = dict(lr=request["learningRate"], eps=request["epsilon"])
        if SPARSE:
            rest = [*self.model.lstm.parameters(), *self.model.head.parameters()]
            self.optimizers = [torch.optim.SparseAdam([self.model.embedding.weight], **settings), torch.optim.Adam(rest, **settings)]
        else:
            self.optimizers = [torch.optim.Adam(self.model.parameters(), **settings)]
        return {}

    def batches(self, request):
        for batch in request["batches"]:
            ids = torch.tensor(batch["ids"]).view(len(batch["lengths"]), batch["time"])
            yield ids, torch.tensor(batch["lengths"]), torch.tensor(batch["labels"])

    def learn(self, ids, lengths, labels):
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(self.model(ids, lengths), labels)
        loss.backward()
        return loss

    def gradient(self, request):
        (batch,) = self.batches(request)
        loss = self.learn(*batch).item()
        parts = []
        for parameter, transposed in self.model.parameters_in_order():
            gradient = parameter.grad.to_dense() if parameter.grad.is_sparse else parameter.grad
            values = (gradient.t() if transposed else gradient).contiguous().numpy().ravel()
            parts.append(numpy.pad(values, (0, -len(values) % 4)))
        numpy.concatenate(parts).astype("<f4").tofile(request["output"])
        return {"loss": loss}

    def steps(self, request):
        batches = list(self.batches(request))
        wall, cpu = time.perf_counter(), time.process_time()
        for step in range(request["count"]):
            loss = self.learn(*batches[step % len(batches)])
            for optimizer in self.optimizers:
                optimizer.step()
            value = loss.item()
        count = request["count"]
        return {"wall": (time.perf_counter() - wall) * 1e3 / count, "cpu": (time.process_time() - cpu) * 1e3 / count, "loss": value}

    def memory(self, request):
        with open("/proc/self/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM"))
        return {"peak": int(peak.split()[1]) / 1024}


def product_speed():
    """GFLOP/s of a product of 512 × 512 matrices: tells what BLAS this PyTorch stands on."""
    a, b = torch.rand(512, 512), torch.rand(512, 512)
    for _ in range(5):
        a @ b
    start = time.process_time()
    for _ in range(20):
        a @ b
    return 20 * 2 * 512**3 / (time.process_time() - start) / 1e9


contender = Contender()
print(json.dumps({"version": torch.__version__, "speed": product_speed()}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(getattr(contender, request["do"])(request)), flush=True)
