"""Trains the encoder on the arrays that prepare.ts wrote, and writes its weights for compose.ts.

    python models/sentiment/recipe/train.py DATA OUTPUT [--lm-steps N] [--steps N] [--seed N]

Four stages. (1) A forward and a backward LSTM learn to predict the next token of all texts, with sampled softmax over the embedding itself. (2) Naive Bayes features and logistic
regression on reviews' words and pairs of words teach what unlabelled reviews probably are. (3) Both LSTMs side by side, pooled by maximum and mean, with a linear head for each
question, learn all labelled sets together, and the unlabelled reviews by their teacher's probabilities; half way the LSTM's own opinion joins the teacher's. (4) For the questions that are shipped, hashed words and pairs of words learn
what they can add, and the held-out rows say how much each part counts and at which temperature.

Every few minutes OUTPUT/checkpoint.npz is written, and a run that finds it goes on from there. Weights are plain float32 files, described by OUTPUT/weights.json. One thread, or CUDA.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import time

# page faults of large blocks that are freed and asked for again cost a third of the time
os.environ.setdefault("MKL_NUM_THREADS", "1")
import numpy as np
import torch

EMBEDDING = 128
UNITS = 128
PAD, UNK = 0, 1
TEACHER_BUCKETS = 1 << 20

# how much more often than its size says (to the power of 0.6) a set is drawn
EMPHASIS = {"imdb": 1.7, "imdb_unsup": 1.3, "chinese_reviews": 1.6, "chnsenticorp_hotel": 2.0, "online_shopping_10_cats": 1.6, "weibo2018": 1.6, "rotten_tomatoes": 1.5, "customer_reviews": 1.5, "uci_sentences": 1.3,
            "tweeteval_sentiment": 1.2, "ag_news": 2.0, "thucnews_titles": 2.5, "tweeteval_emotion": 1.5, "tweeteval_offensive": 1.0, "trec": 1.5, "shopping_categories": 0.15,
            "english_sources": 0.1, "chinese_sources": 0.12, "liar": 0.2, "tweeteval_hate": 0.5, "tweeteval_irony": 0.7, "movie_scale_regression": 0.5}
# rows of the n-gram tables of the heads that are to be shipped, a byte for each label; powers of two, for which the hash is best
WIDE = {"sentiment": 524288, "sentiment-3": 131072, "news-topics": 131072, "chinese-news-topics": 131072, "emotion": 131072, "spam": 32768, "offensive": 131072}
DEEP = 0.6  # what the LSTM's logits count while the n-grams learn to add to them
TAUGHT = 10000  # unlabelled reviews of each set that the n-grams learn from
NGRAM_FACTOR = 1000003  # ngramFactor of core/model/ngrams.ts
# heads that also learn from texts whose vectors are shifted to where the loss is worst (Miyato, Dai & Goodfellow 2017)
ADVERSARIAL = {"sentiment", "sentiment-3", "emotion", "offensive"}
# sets of long texts, which are cropped so that short texts are understood too
LONG = {"imdb", "imdb_unsup", "movie_scale_regression", "chnsenticorp_hotel", "english_sources"}


class Texts:
    """Token ids of many texts, one after another."""

    def __init__(self, folder, name, part):
        read = lambda kind: np.fromfile(folder / f"{name}.{part}.{kind}", dtype=np.uint16)
        self.ids, self.lengths = read("ids"), read("lengths").astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        labels = folder / f"{name}.{part}.labels"
        self.labels = read("labels").astype(np.int64) if labels.exists() else None

    def __len__(self):
        return len(self.lengths)

    def text(self, row):
        return self.ids[self.starts[row]:self.starts[row] + self.lengths[row]]

    def some(self, rows):
        """These texts alone, without labels."""
        part = Texts.__new__(Texts)
        part.ids, part.lengths, part.labels = np.concatenate([self.text(row) for row in rows]), self.lengths[rows], None
        part.starts = np.concatenate([[0], np.cumsum(part.lengths)[:-1]])
        return part


class Model:
    """The embedding, trained row by row, and the dense parameters."""

    def __init__(self, vocabulary, heads, seed, device):
        torch.manual_seed(seed)
        self.device = device
        self.table = (torch.randn(vocabulary, EMBEDDING) * 0.1).to(device)
        self.output_bias = torch.zeros(vocabulary, device=device)
        self.lstms = [torch.nn.LSTM(EMBEDDING, UNITS).to(device) for _ in range(2)]
        for lstm in self.lstms:
            with torch.no_grad():
                lstm.bias_ih_l0.zero_()
                lstm.bias_hh_l0.zero_()
                lstm.bias_ih_l0[UNITS:2 * UNITS] = 1
        self.heads = {name: torch.nn.Linear(4 * UNITS, len(labels)).to(device) for name, labels in heads.items()}
        for head in self.heads.values():
            with torch.no_grad():
                head.weight.normal_(0, 0.05)
                head.bias.zero_()

    def dense(self):
        """Names and parameters that every step touches, but for the embedding."""
        named = [(f"{way}.{name}", p) for way, lstm in zip(("forward", "backward"), self.lstms) for name, p in lstm.named_parameters()]
        return named + [(f"head.{name}.{kind}", p) for name, head in self.heads.items() for kind, p in head.named_parameters()]


class RowAdam:
    """Adam that moves only the rows that a step has touched."""

    def __init__(self, model):
        self.table = model.table
        self.first = torch.zeros_like(model.table)
        self.second = torch.zeros_like(model.table)
        self.steps = 0

    def step(self, rows, gradient, rate):
        self.steps += 1
        first = self.first[rows].mul_(0.9).add_(gradient, alpha=0.1)
        second = self.second[rows].mul_(0.98).addcmul_(gradient, gradient, value=0.02)
        self.first[rows], self.second[rows] = first, second
        correction = math.sqrt(1 - 0.98 ** self.steps) / (1 - 0.9 ** self.steps)
        self.table[rows] -= rate * correction * first / (second.sqrt() + 1e-8)


def step_all(loss, rows, ids, model, row_adam, adam, rate, row_rate):
    """One step of both optimizers, with the gradient clipped to a norm of 1."""
    dense = [p for _, p in model.dense()]
    for p in dense:
        p.grad = None
    loss.backward()
    used = [p for p in dense if p.grad is not None]
    norm = math.sqrt(sum(float(g.pow(2).sum()) for g in [rows.grad, *[p.grad for p in used]]))
    scale = min(1.0, 1.0 / (norm + 1e-6))
    rows.grad.mul_(scale)
    for p in used:
        p.grad.mul_(scale)
    for group in adam.param_groups:
        group["lr"] = rate * group["factor"]
    adam.step()
    row_adam.step(ids, rows.grad, row_rate)


def reverse(x, lengths):
    """[T, B, …] with each text's first `length` positions turned around."""
    time_steps = torch.arange(x.shape[0], device=x.device)[:, None]
    index = torch.where(time_steps < lengths, lengths - 1 - time_steps, time_steps)
    if x.dim() == 2:
        return x.gather(0, index)
    return x.gather(0, index[:, :, None].expand(-1, -1, x.shape[2]))


def features(model, x, lengths):
    """Embedded texts [T, B, E] → [B, 4 H]: the maxima of both directions, then their means."""
    forward = model.lstms[0](x)[0]
    backward = reverse(model.lstms[1](reverse(x, lengths))[0], lengths)
    both = torch.cat([forward, backward], 2)
    inside = (torch.arange(x.shape[0], device=x.device)[:, None] < lengths)[:, :, None]
    largest = both.masked_fill(~inside, -1e4).amax(0)
    mean = (both * inside).sum(0) / lengths[:, None]
    return torch.cat([largest, mean], 1)


def pad(texts, device):
    """Arrays of ids → ids [T, B] and lengths [B]."""
    lengths = np.array([len(text) for text in texts])
    ids = np.full((lengths.max(), len(texts)), PAD, dtype=np.int64)
    for column, text in enumerate(texts):
        ids[:len(text), column] = text
    return torch.from_numpy(ids).to(device), torch.from_numpy(lengths).to(device)


def language_model_stage(model, row_adam, adam, data, options, run):
    """Next-token prediction in both directions; targets against shared negatives drawn by frequency."""
    length, batch, negatives = 64, 64, 512
    names = list(data)
    streams = []
    counts = np.zeros(len(model.table))
    for name in names:
        texts = data[name]["train"]
        # a text ends with padding, the one token that no text holds
        stream = np.insert(texts.ids, texts.starts[1:], PAD)
        streams.append(stream)
        counts += np.bincount(stream, minlength=len(counts)) * (1e7 / len(stream)) ** 0.5
    sizes = np.array([len(stream) for stream in streams], dtype=float) ** 0.5
    shares = sizes / sizes.sum()
    noise = np.maximum(counts, 1) ** 0.75
    noise[UNK] = 1e-9
    noise /= noise.sum()
    cumulative = np.cumsum(noise)
    log_noise = torch.from_numpy(np.log(noise * negatives)).float().to(model.device)
    smoothed, started = None, time.time()
    for step in range(run.lm_step, options.lm_steps):
        rng = np.random.default_rng([options.seed, 1, step])
        chosen = rng.choice(len(names), size=batch, p=shares)
        windows = np.stack([streams[k][at:at + length + 1] for k in chosen for at in [rng.integers(0, len(streams[k]) - length - 1)]]).astype(np.int64).T
        noise_ids = np.unique(np.searchsorted(cumulative, rng.random(negatives)).clip(max=len(cumulative) - 1))
        used, inverse = np.unique(np.concatenate([windows.ravel(), noise_ids]), return_inverse=True)
        used = torch.from_numpy(used).to(model.device)
        inverse = torch.from_numpy(inverse).to(model.device)
        places, noise_places = inverse[:windows.size].view(length + 1, batch), inverse[windows.size:]
        rows = model.table[used].requires_grad_()
        total = 0
        for lstm, window in ((model.lstms[0], places), (model.lstms[1], places.flip(0))):
            x = torch.nn.functional.dropout(torch.nn.functional.embedding(window[:-1], rows), 0.1)
            hidden = torch.nn.functional.dropout(lstm(x)[0], 0.1).reshape(-1, UNITS)
            target = window[1:].reshape(-1)
            target_logit = (hidden * rows[target]).sum(1) * SCALE - log_noise[used[target]]
            noise_logit = hidden @ rows[noise_places].t() * SCALE - log_noise[used[noise_places]]
            noise_logit = noise_logit.masked_fill(target[:, None] == noise_places[None, :], -1e4)
            total = total + (torch.logaddexp(target_logit, torch.logsumexp(noise_logit, 1)) - target_logit).mean()
        rate = options.rate * warm(step, options.lm_steps)
        step_all(total, rows, used, model, row_adam, adam, rate, rate)
        smoothed = float(total) if smoothed is None else 0.99 * smoothed + 0.01 * float(total)
        run.lm_step = step + 1
        if step % 50 == 49:
            print(f"lm {step + 1}/{options.lm_steps} loss {smoothed / 2:.3f} {(step + 1) * length * batch / 1e6:.1f}M tokens {time.time() - started:.0f}s", flush=True)
        run.keep(model, row_adam, adam)


SCALE = 4.0  # a vector of the LSTM lies in -1..1


def warm(step, steps):
    """Share of the rate: up for 2 % of the steps, then evenly down to a twentieth."""
    return min(1, (step + 1) / max(1, 0.02 * steps)) * max(0.05, 1 - step / steps)


class Teacher:
    """What labelled sets make of the texts of a set without labels."""

    def __init__(self, data, name, output, seed):
        self.name, self.file = name, output / f"teacher-{name}.npz"
        self.texts, self.held = data[name]["train"], [data[other]["valid"] for other in data[name]["taughtBy"]]
        if not self.file.exists():
            self.write(logits=teach([data[other]["train"] for other in data[name]["taughtBy"]], self.texts, self.held, seed, name), late=np.zeros(0, np.float32))
        kept = np.load(self.file)
        self.logits, self.late = kept["logits"], kept["late"]

    def write(self, **arrays):
        part = self.file.with_suffix(".part")
        with open(part, "wb") as out:
            np.savez(out, **arrays)
        part.replace(self.file)

    def positive(self, late):
        """Probabilities of `positive`, [texts], of the n-grams, or after `listen` of n-grams and LSTM."""
        return 1 / (1 + np.exp(-(self.late if late and len(self.late) else self.logits[:len(self.texts)])))

    def listen(self, model):
        """Takes the LSTM's opinion in, as much as held-out rows say; both have never learned from those."""
        if len(self.late):
            return
        own = [self.logits[len(self.texts):]]
        ends = np.cumsum([len(texts) for texts in self.held])
        two_sided = lambda logit: np.stack([-logit / 2, logit / 2], 1).astype(np.float32)
        parts = [([predict(model, texts, "sentiment"), two_sided(grams)], texts.labels) for texts, grams in zip(self.held, np.split(own[0], ends[:-1]))]
        factors = fit_factors(parts)
        for (sources, truth), texts in zip(parts, self.held):
            right = [f"{(logits.argmax(1) == truth).mean():.4f}" for logits in [*sources, sum(f * part for f, part in zip(factors, sources))]]
            print(f"teacher of {self.name}: LSTM × {factors[0]:.2f} {right[0]}, n-grams × {factors[1]:.2f} {right[1]}, both {right[2]} of {len(truth)}", flush=True)
        both = sum(factor * part for factor, part in zip(factors, [predict(model, self.texts, "sentiment"), two_sided(self.logits[:len(self.texts)])]))
        self.late = both[:, 1] - both[:, 0]
        self.write(logits=self.logits, late=self.late)


def teach(labelled, unlabelled, held, seed, name):
    """Log-odds of `positive` for unlabelled texts, then for those held out: logistic regression on the words and pairs of words of labelled ones, weighted by naive Bayes (Wang & Manning 2012)."""

    def buckets(texts):
        sets = []
        for row in range(len(texts)):
            ids = texts.text(row).astype(np.int64)
            pairs = (ids[:-1] * 1000003 + ids[1:] * 7919) % (TEACHER_BUCKETS - 65536) + 65536
            sets.append(np.unique(np.concatenate([ids, pairs])))
        return sets

    known, other, check = [features for texts in labelled for features in buckets(texts)], buckets(unlabelled), [features for texts in held for features in buckets(texts)]
    positive = np.concatenate([texts.labels for texts in labelled]) == 1
    count = [np.bincount(np.concatenate([f for f, p in zip(known, positive) if p == side]), minlength=TEACHER_BUCKETS) + 1.0 for side in (True, False)]
    ratio = torch.from_numpy(np.log((count[0] / count[0].sum()) / (count[1] / count[1].sum()))).float()
    weights = torch.zeros(TEACHER_BUCKETS, 1)
    squares = torch.zeros(TEACHER_BUCKETS, 1)
    rng = np.random.default_rng([seed, 2])

    def score(some):
        flat = torch.from_numpy(np.concatenate(some))
        offsets = torch.from_numpy(np.concatenate([[0], np.cumsum([len(s) for s in some])[:-1]]))
        return flat, offsets, torch.nn.functional.embedding_bag(flat, weights, offsets, mode="sum", per_sample_weights=ratio[flat])[:, 0]

    for epoch in range(6):
        order = rng.permutation(len(known))
        for start in range(0, len(order), 64):
            rows = order[start:start + 64]
            flat, offsets, logit = score([known[row] for row in rows])
            slope = torch.sigmoid(logit) - torch.from_numpy(positive[rows].astype(np.float32))
            lengths = torch.diff(torch.cat([offsets, torch.tensor([len(flat)])]))
            used, inverse = torch.unique(flat, return_inverse=True)
            gradient = torch.zeros(len(used)).index_add_(0, inverse, torch.repeat_interleave(slope, lengths) * ratio[flat])[:, None] / len(rows) + 1e-5 * weights[used]
            squares[used] += gradient ** 2
            weights[used] -= 0.05 * gradient / (squares[used].sqrt() + 1e-8)
    evaluate = lambda some: np.concatenate([score(some[k:k + 256])[2].numpy() for k in range(0, len(some), 256)])
    logits = evaluate(check)
    truth = np.concatenate([texts.labels for texts in held]) == 1
    # the temperature at which the held-out reviews are most likely
    temperature = min(np.arange(0.5, 8, 0.1), key=lambda t: np.logaddexp(0, np.where(truth, -logits, logits) / t).mean())
    print(f"teacher of {name}: {((logits > 0) == truth).mean():.4f} of {len(truth)} held-out rows, temperature {temperature:.1f}", flush=True)
    return (np.concatenate([evaluate(other), logits]) / temperature).astype(np.float32)


class Sampler:
    """Batches of one set, texts of like length together."""

    def __init__(self, name, texts, seed):
        self.name, self.texts, self.seed = name, texts, seed
        self.queue, self.order, self.drawn = [], np.array([], dtype=np.int64), 0

    def next(self, batch, progress):
        if not self.queue:
            rng = np.random.default_rng([self.seed, 3, self.drawn])
            while len(self.order) < 24 * batch:
                self.order = np.concatenate([self.order, rng.permutation(len(self.texts))])
            pool, self.order = self.order[:24 * batch], self.order[24 * batch:]
            texts = [self.crop(self.texts.text(row), rng, progress) for row in pool]
            by_length = np.argsort([len(text) for text in texts], kind="stable")
            self.queue = [[(pool[k], texts[k]) for k in by_length[at:at + batch]] for at in range(0, len(pool), batch)]
            rng.shuffle(self.queue)
            self.drawn += 1
        rows, texts = zip(*self.queue.pop())
        kept = [(row, text) for row, text in zip(rows, texts) if len(text) > 0]
        return [row for row, _ in kept], [text for _, text in kept]

    def crop(self, text, rng, progress):
        late = progress > 0.6
        if self.name in LONG and len(text) > 40 and rng.random() < (0.25 if late else 0.6):
            length = int(rng.integers(12, 100))
            # opinions stand at a review's ends more often than in its middle
            start = rng.choice([0, max(0, len(text) - length), rng.integers(0, max(1, len(text) - length))])
            return text[start:start + length]
        most = 400 if late and progress > 0.85 else 256 if late else 160
        if len(text) <= most:
            return text
        return np.concatenate([text[:most // 2], text[-(most - most // 2):]])


def task_stage(model, row_adam, adam, data, heads, options, run):
    """All labelled sets together, a batch of one set at a time."""
    teachers = {name: Teacher(data, name, options.output, options.seed) for name, parts in data.items() if parts["taughtBy"]}
    names = [name for name, parts in data.items() if parts["head"] or name in teachers]
    samplers = {name: Sampler(name, data[name]["train"], options.seed + k + 1000 * run.step) for k, name in enumerate(names)}
    soft, late = {}, None
    shares = np.array([len(samplers[name].texts) ** 0.6 * EMPHASIS.get(name, 1) for name in names])
    shares /= shares.sum()
    smoothed, started, tokens = {}, time.time(), 0
    for step in range(run.step, options.steps):
        progress = step / options.steps
        if late != (progress >= 0.5):
            late = progress >= 0.5
            if late:
                with run.averaged(model):
                    for teacher in teachers.values():
                        teacher.listen(model)
            soft = {name: teacher.positive(late) for name, teacher in teachers.items()}
        rng = np.random.default_rng([options.seed, 4, step])
        name = names[rng.choice(len(names), p=shares)]
        head = data[name]["head"] or "sentiment"
        chosen, texts = samplers[name].next(options.batch, progress)
        ids, lengths = pad(texts, model.device)
        tokens += int(lengths.sum())
        used, places = torch.unique(ids, return_inverse=True)
        # <unk> takes the place of dropped words
        unk = torch.tensor([UNK], device=model.device)
        touched, again = torch.unique(torch.cat([used, unk]), return_inverse=True)
        places, unk_place = again[places], again[-1]
        places = torch.where(torch.rand(places.shape, device=model.device) < 0.1, unk_place, places)
        rows = model.table[touched].requires_grad_()
        x = torch.nn.functional.embedding(places, rows)
        # one mask for all positions of a text
        x = x * (torch.rand(1, *x.shape[1:], device=model.device) > 0.2) / 0.8
        pooled = torch.nn.functional.dropout(features(model, x, lengths), 0.4)
        logits = model.heads[head](pooled)
        if name in soft:
            positive = torch.from_numpy(soft[name][chosen]).float().to(model.device)
            truth = torch.stack([1 - positive, positive], 1)
        else:
            truth = torch.nn.functional.one_hot(torch.from_numpy(data[name]["train"].labels[chosen]).to(model.device), len(heads[head])).float()
            truth = truth * 0.95 + 0.05 / len(heads[head])
        loss = -(truth * torch.log_softmax(logits, 1)).sum(1).mean()
        if head in ADVERSARIAL and step >= options.adversarial_from:
            slope, = torch.autograd.grad(loss, x, retain_graph=True)
            # relative to the words' vectors, so that they cannot grow out of reach
            size = options.adversarial * rows.detach().pow(2).sum(1).mean().sqrt()
            shift = slope * (size / (slope.pow(2).sum((0, 2), keepdim=True).sqrt() + 1e-12))
            pooled = torch.nn.functional.dropout(features(model, x + shift, lengths), 0.4)
            loss = (loss - (truth * torch.log_softmax(model.heads[head](pooled), 1)).sum(1).mean()) / 2
        rate = options.rate * min(1, (step + 1) / 200) * max(0.01, 1 - progress)
        step_all(loss, rows, touched, model, row_adam, adam, rate, rate * 1.5)
        run.step = step + 1
        run.average_in(model, step, options.steps)
        smoothed[name] = 0.98 * smoothed.get(name, float(loss)) + 0.02 * float(loss)
        if step % 200 == 199:
            print(f"step {step + 1}/{options.steps} {tokens / 1e6:.1f}M tokens {time.time() - started:.0f}s " + " ".join(f"{n[:14]} {v:.3f}" for n, v in sorted(smoothed.items())), flush=True)
        if step % 2000 == 1999:
            report(model, data, heads)
        run.keep(model, row_adam, adam)


def predict(model, texts, head):
    """Logits of all texts."""
    order = np.argsort(texts.lengths, kind="stable")
    logits = None
    with torch.no_grad():
        for start in range(0, len(order), 64):
            rows = order[start:start + 64]
            ids, lengths = pad([texts.text(row) if texts.lengths[row] else np.array([UNK]) for row in rows], model.device)
            some = model.heads[head](features(model, model.table[ids], lengths)).cpu().numpy()
            logits = np.zeros((len(order), some.shape[1]), np.float32) if logits is None else logits
            logits[rows] = some
    return logits


def report(model, data, heads):
    """Accuracy, and macro recall, of the held-out rows of each set."""
    line = []
    for name, parts in data.items():
        if not parts["head"] or len(parts["valid"]) == 0:
            continue
        guess, truth = predict(model, parts["valid"], parts["head"]).argmax(1), parts["valid"].labels
        recall = np.mean([(guess[truth == label] == label).mean() for label in np.unique(truth)])
        line.append(f"{name} {(guess == truth).mean():.4f} ({recall:.3f}, {len(truth)})")
    print("valid " + " · ".join(line), flush=True)


class Grams:
    """Buckets of the tokens and pairs of adjacent tokens of many texts, as core/model/ngrams.ts has them."""

    def __init__(self, texts, buckets):
        self.flat, self.counts = [], np.zeros(len(texts), dtype=np.int64)
        for row in range(len(texts)):
            ids = texts.text(row).astype(np.int64) % buckets
            grams = np.concatenate([ids, (ids[:-1] * NGRAM_FACTOR + ids[1:]) % buckets])
            self.flat.append(grams)
            self.counts[row] = len(grams)

    def some(self, rows):
        """Buckets of some texts, one after another, and the text of each, counted from 0."""
        return torch.from_numpy(np.concatenate([self.flat[row] for row in rows])), torch.from_numpy(np.repeat(np.arange(len(rows)), self.counts[rows]))


def wide_logits(table, grams, rows):
    """[B, L]: sums of the rows of the table over the root of their number."""
    flat, owner = grams.some(rows)
    roots = torch.from_numpy(np.sqrt(np.maximum(grams.counts[rows], 1))).float()[:, None]
    return torch.zeros(len(rows), table.shape[1]).index_add_(0, owner, table[flat]) / roots


def learn_wide(sets, labels, buckets, seed, epochs=4):
    """
    Logistic regression on n-grams weighted by naive Bayes, over all sets of a head, which adds to logits that there are already.
    @param sets of (texts, truth [rows, labels], logits [rows, labels])
    """
    parts = [(Grams(texts, buckets), truth) for texts, truth, _ in sets]
    given = [torch.from_numpy(logits) for _, _, logits in sets]
    counts = np.ones((buckets, labels)) * 0.5
    for grams, truth in parts:
        for label in range(labels):
            for start in range(0, len(truth), 4096):
                rows = np.arange(start, min(start + 4096, len(truth)))
                flat, owner = grams.some(rows)
                counts[:, label] += np.bincount(flat.numpy(), weights=truth[rows, label][owner.numpy()], minlength=buckets)
    share = counts / counts.sum(0)
    other = (counts.sum(1, keepdims=True) - counts) / (counts.sum() - counts.sum(0))
    ratio = torch.from_numpy(np.log(share / other)).float()
    table, squares = torch.zeros(buckets, labels), torch.zeros(buckets, labels)
    everything = np.array([(part, row) for part, (grams, truth) in enumerate(parts) for row in range(len(truth)) if grams.counts[row] > 0])
    rng = np.random.default_rng([seed, 5])
    for epoch in range(epochs):
        rng.shuffle(everything)
        by_part = [everything[everything[:, 0] == part][:, 1] for part in range(len(parts))]
        batches = [(part, rows[k:k + 64]) for part, rows in enumerate(by_part) for k in range(0, len(rows), 64)]
        for k in rng.permutation(len(batches)):
            part, rows = batches[k]
            grams, truth = parts[part]
            flat, owner = grams.some(rows)
            used, inverse = torch.unique(flat, return_inverse=True)
            scaled = ratio[used]
            values = (table[used] * scaled)[inverse]
            roots = torch.from_numpy(np.sqrt(grams.counts[rows])).float()[:, None]
            logits = torch.zeros(len(rows), labels).index_add_(0, owner, values) / roots + given[part][rows]
            slope = (torch.softmax(logits, 1) - torch.from_numpy(truth[rows])) / roots
            gradient = torch.zeros(len(used), labels).index_add_(0, inverse, slope[owner]) * scaled / len(rows) + 1e-6 * table[used]
            squares[used] += gradient ** 2
            table[used] -= 0.1 * (1 - epoch / epochs) * gradient / (squares[used].sqrt() + 1e-7)
    return table * ratio


def shares_of_languages(sets, buckets):
    """For each language of a head's sets, what part of each bucket's n-grams comes from it, [buckets]. @param sets of (language, texts)"""
    counts = {}
    for language, texts in sets:
        counted = counts.setdefault(language, np.full(buckets, 1e-3))
        flat = texts.ids.astype(np.int64) % buckets
        # pairs across the borders of texts are few enough not to matter here
        counted += np.bincount(flat, minlength=buckets) + np.bincount((flat[:-1] * NGRAM_FACTOR + flat[1:]) % buckets, minlength=buckets)
    total = sum(counts.values())
    return [torch.from_numpy(counted / total).float()[:, None] for counted in counts.values()]


def wide_stage(model, data, heads, options):
    """An n-gram table for each head that is shipped, times what it counts in each language, and the head's temperature; all from the held-out rows, each set of which counts the same."""
    tables = {}
    for head, buckets in WIDE.items():
        if head not in heads:
            continue
        labels = len(heads[head])
        named = [(name, parts) for name, parts in data.items() if parts["head"] == head]
        sets = [(parts["train"], np.eye(labels, dtype=np.float32)[parts["train"].labels]) for _, parts in named]
        for name in [name for name, parts in data.items() if parts["taughtBy"] and head == "sentiment"]:
            # some of them: each has to be read by the LSTM
            taught = data[name]["train"]
            rows = np.random.default_rng([options.seed, 6]).choice(len(taught), size=min(TAUGHT, len(taught)), replace=False)
            positive = Teacher(data, name, options.output, options.seed).positive(True)[rows]
            sets.append((taught.some(rows), np.stack([1 - positive, positive], 1)))
        # the LSTM knows its training texts better than others, so it counts for less here
        table = learn_wide([(texts, truth, DEEP * predict(model, texts, head)) for texts, truth in sets], labels, buckets, options.seed)
        parts_of_table = [table * share for share in shares_of_languages([(parts["language"], parts["train"]) for _, parts in named], buckets)]
        held = []
        for name, parts in named:
            grams, rows = Grams(parts["valid"], buckets), np.arange(len(parts["valid"]))
            held.append((name, [predict(model, parts["valid"], head), *[wide_logits(part, grams, rows).numpy() for part in parts_of_table]], parts["valid"].labels))
        factors = fit_factors([(logits, truth) for _, logits, truth in held])
        accuracy = lambda logits, truth: float((logits.argmax(1) == truth).mean())
        for name, logits, truth in held:
            both = sum(factor * part for factor, part in zip(factors, logits))
            print(f"{head} {name}: LSTM {accuracy(logits[0], truth):.4f}, n-grams {accuracy(sum(logits[1:]), truth):.4f}, both {accuracy(both, truth):.4f} of {len(truth)}", flush=True)
        print(f"{head}: LSTM × {factors[0]:.2f}, n-grams × {', '.join(f'{factor:.2f}' for factor in factors[1:])}", flush=True)
        tables[head] = {"table": sum(part * (factor / factors[0]) for part, factor in zip(parts_of_table, factors[1:])), "temperature": float(1 / factors[0])}
    return tables


def fit_factors(held):
    """What logits of several sources count together, least cross entropy averaged over sets: a few numbers above 0. @param held of ([sources, each [rows, labels]], truth)"""
    logs = torch.zeros(len(held[0][0]), requires_grad=True)
    tensors = [([torch.from_numpy(part) for part in parts], torch.from_numpy(truth)) for parts, truth in held]
    newton = torch.optim.LBFGS([logs], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        newton.zero_grad()
        loss = sum(torch.nn.functional.cross_entropy(sum(factor * part for factor, part in zip(logs.exp(), parts)), truth) for parts, truth in tensors) / len(tensors)
        loss.backward()
        return loss

    newton.step(closure)
    return [float(factor) for factor in logs.detach().exp()]


class Run:
    """Where a run is, its average of the weights, and the checkpoint on the disk."""

    def __init__(self, output):
        self.file = output / "checkpoint.npz"
        self.lm_step = self.step = 0
        self.average, self.kept = None, time.time()

    def average_in(self, model, step, steps, every=8, decay=0.999):
        """Exponential moving average of all weights over the last two thirds."""
        if step < steps / 3 or step % every:
            return
        latest = [model.table, *[p.data for _, p in model.dense()]]
        if self.average is None:
            self.average = [value.clone() for value in latest]
        for mean, value in zip(self.average, latest):
            mean.lerp_(value, 1 - decay ** every)

    @contextlib.contextmanager
    def averaged(self, model):
        """The model with its averaged weights, while it lasts."""
        values = [model.table, *[p.data for _, p in model.dense()]]
        latest = [value.clone() for value in values]
        for value, mean in zip(values, self.average or latest):
            value.copy_(mean)
        yield
        for value, own in zip(values, latest):
            value.copy_(own)

    def keep(self, model, row_adam, adam, force=False):
        if not force and time.time() - self.kept < 240:
            return
        arrays = {"table": model.table, "row.first": row_adam.first, "row.second": row_adam.second}
        for k, (name, p) in enumerate(model.dense()):
            arrays[f"dense.{name}"] = p.data
            state = adam.state.get(p)
            if state:
                arrays[f"first.{name}"], arrays[f"second.{name}"] = state["exp_avg"], state["exp_avg_sq"]
        for k, mean in enumerate(self.average or []):
            arrays[f"average.{k}"] = mean
        steps = {name: np.array(int(adam.state[p]["step"]) if adam.state.get(p) else 0) for name, p in model.dense()}
        with open(self.file.with_suffix(".part"), "wb") as out:
            np.savez(out, lm_step=self.lm_step, step=self.step, row_steps=row_adam.steps, **{f"steps.{n}": s for n, s in steps.items()}, **{n: a.cpu().numpy() for n, a in arrays.items()})
        self.file.with_suffix(".part").replace(self.file)
        self.kept = time.time()

    def restore(self, model, row_adam, adam):
        if not self.file.exists():
            return
        kept = np.load(self.file, allow_pickle=False)
        to = lambda name: torch.from_numpy(kept[name]).to(model.device)
        self.lm_step, self.step, row_adam.steps = int(kept["lm_step"]), int(kept["step"]), int(kept["row_steps"])
        model.table.copy_(to("table"))
        row_adam.first.copy_(to("row.first"))
        row_adam.second.copy_(to("row.second"))
        for name, p in model.dense():
            if f"dense.{name}" not in kept:
                continue
            p.data.copy_(to(f"dense.{name}"))
            if f"first.{name}" in kept:
                adam.state[p] = {"step": torch.tensor(float(kept[f"steps.{name}"])), "exp_avg": to(f"first.{name}"), "exp_avg_sq": to(f"second.{name}")}
        if "average.0" in kept:
            self.average = [to(f"average.{k}") for k in range(1 + len(model.dense()))]
        print(f"goes on from step {self.lm_step} of the language models, {self.step} of the tasks", flush=True)


def write_weights(model, options, tables):
    """Each weight as little-endian float32, named and shaped as core/model/architecture.ts has them; kernels are transposed, gates are in the same order."""
    arrays = {"embedding/table": model.table}
    for way, lstm in zip(("forward", "backward"), model.lstms):
        arrays[f"lstm/{way}/kernel"] = lstm.weight_ih_l0.t()
        arrays[f"lstm/{way}/recurrent"] = lstm.weight_hh_l0.t()
        arrays[f"lstm/{way}/bias"] = lstm.bias_ih_l0 + lstm.bias_hh_l0
    for name, head in model.heads.items():
        arrays[f"heads/{name}/kernel"] = head.weight.t()
        arrays[f"heads/{name}/bias"] = head.bias
    for name, wide in tables.items():
        arrays[f"ngrams/{name}/table"] = wide["table"]
    listed, output = [], options.output
    with open(output / "weights.f32", "wb") as out:
        for name, value in arrays.items():
            value = value.detach().cpu().contiguous().numpy().astype("<f4")
            listed.append({"name": name, "shape": list(value.shape)})
            out.write(value.tobytes())
    (output / "weights.json").write_text(json.dumps({"units": UNITS, "seed": options.seed, "steps": {"languageModelSteps": options.lm_steps, "steps": options.steps, "batchSize": options.batch, "learningRate": options.rate}, "temperatures": {name: wide["temperature"] for name, wide in tables.items()}, "arrays": listed}, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--lm-steps", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=36000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--adversarial", type=float, default=0.2, help="length of the shift over all of a text, in lengths of a word's vector")
    parser.add_argument("--adversarial-from", type=int, default=12000, help="the step from which on texts are shifted")
    parser.add_argument("--seed", type=int, default=20261124)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    prepared = json.loads((options.data / "data.json").read_text())
    heads = prepared["heads"]
    data = {s["name"]: {"head": s.get("head"), "taughtBy": s.get("taughtBy"), "language": s["language"], "train": Texts(options.data, s["name"], "train"), "valid": Texts(options.data, s["name"], "valid") if s["valid"] else []} for s in prepared["sets"]}
    model = Model(prepared["vocabularySize"], heads, options.seed, device)
    row_adam = RowAdam(model)
    # a head is seldom touched, so it learns faster
    groups = [{"params": [p for name, p in model.dense() if name.startswith("head.") == is_head], "factor": factor} for is_head, factor in ((False, 1), (True, 2.5))]
    adam = torch.optim.Adam(groups, lr=options.rate, betas=(0.9, 0.98))
    run = Run(options.output)
    run.restore(model, row_adam, adam)
    torch.manual_seed(options.seed + run.lm_step + run.step)
    language_model_stage(model, row_adam, adam, data, options, run)
    run.keep(model, row_adam, adam, force=True)
    task_stage(model, row_adam, adam, data, heads, options, run)
    run.keep(model, row_adam, adam, force=True)
    with run.averaged(model):
        report(model, data, heads)
        write_weights(model, options, wide_stage(model, data, heads, options))


if __name__ == "__main__":
    main()
