/** run_model.py, which goes with every exported model: everything that `core/text` and `inference` do with a text, in a few lines of Python. */
export const runModelScript = String.raw`#!/usr/bin/env python3
"""Asks the model in this folder about texts, with the same answers as Label Lens.

    pip install onnxruntime tokenizers numpy
    python run_model.py "What a lovely film." "Never again."
    python run_model.py --csv reviews.csv --text review --output reviews.predicted.csv

Or from Python: import run_model; run_model.Model(".").predict(["What a lovely film."])
"""
import argparse
import csv
import json
import pathlib
import sys

import numpy as np
import onnxruntime
import tokenizers

BATCH = 32


class Model:
    """A bundle of model.onnx, tokenizer.json and model.json."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        card = json.loads((folder / "model.json").read_text("utf-8"))
        self.kind = card["task"]["kind"]
        self.labels = [label["id"] for label in card["task"]["labels"]]
        # as Label Lens decides: a label from its threshold on; for one label without a threshold the most probable
        self.thresholds = card["task"].get("thresholds") or [card["task"].get("threshold", 0.5)] * len(self.labels)
        self.has_threshold = "threshold" in card["task"] and len(self.labels) == 2
        self.max_tokens = card["tokenizer"]["maxTokens"]
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])

    def encode(self, text):
        """Ids of a text's tokens. tokenizer.json normalizes; of a long text beginning and end are kept."""
        ids = self.tokenizer.encode(text).ids
        if len(ids) <= self.max_tokens:
            return ids
        tail = self.max_tokens // 2
        return ids[: self.max_tokens - tail] + ids[len(ids) - tail :]

    def scores(self, texts):
        """[texts, labels] probabilities (for numbers the value), and the number of tokens of each text. The temperature is in the graph."""
        encoded = [self.encode(text) for text in texts]
        lengths = np.array([len(ids) for ids in encoded], dtype=np.int32)
        scores = np.zeros((len(texts), max(1, len(self.labels))), dtype=np.float32)
        # texts of like length together, since a batch is as wide as its longest text
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            input_ids = np.zeros((len(rows), max(1, lengths[rows].max())), dtype=np.int32)
            for at, row in enumerate(rows):
                input_ids[at, : lengths[row]] = encoded[row]
            scores[rows] = self.session.run(["scores"], {"input_ids": input_ids, "lengths": lengths[rows]})[0]
        return scores, lengths

    def predict(self, texts):
        """For each text {"label": ..., "score": ...}: a label, a list of labels or a number, and the best probability. None for a text without a word to read."""
        scores, lengths = self.scores(texts)
        return [self.answer(row) if length > 0 else None for row, length in zip(scores, lengths)]

    def answer(self, scores):
        if self.kind == "number":
            return {"label": float(scores[0]), "score": None}
        best = int(scores.argmax())
        if self.kind == "single" and self.has_threshold:
            best = int(scores[1] >= self.thresholds[1])
        chosen = [label for label, score, threshold in zip(self.labels, scores, self.thresholds) if score >= threshold]
        return {"label": chosen if self.kind == "multi" else self.labels[best], "score": float(scores[best])}


def cells(answer):
    """What Label Lens writes into the columns predicted and score."""
    if answer is None:
        return ["", ""]
    label, score = answer["label"], answer["score"]
    if isinstance(label, float):
        return [format(label, ".6g"), ""]
    return [";".join(label) if isinstance(label, list) else label, round(score, 4)]


def classify_csv(model, source, target, columns, delimiter):
    """Copies a table with the columns predicted and score added, 1,000 rows at a time."""
    reader = csv.reader(source, delimiter=delimiter)
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
    header = next(reader)
    missing = [name for name in columns if name not in header]
    if missing:
        sys.exit(f"There is no column {missing[0]}. Choose one of these: {', '.join(header)}.")
    wanted = [header.index(name) for name in columns]
    writer.writerow(header + ["predicted", "score"])

    def write(rows):
        texts = ["\n\n".join(row[at] for at in wanted if at < len(row) and (len(wanted) == 1 or row[at].strip())) for row in rows]
        for row, answer in zip(rows, model.predict(texts)):
            writer.writerow(row + [""] * (len(header) - len(row)) + cells(answer))

    rows = []
    for row in reader:
        if row:
            rows.append(row)
        if len(rows) == 1000:
            write(rows)
            rows = []
    if rows:
        write(rows)


def main():
    parser = argparse.ArgumentParser(description="Asks the model in this folder about texts or a table.")
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument("--csv", metavar="FILE", help="a table in UTF-8 whose rows are classified")
    parser.add_argument("--text", metavar="COL", action="append", help="text column; several are joined with a blank line (default: text)")
    parser.add_argument("--output", metavar="FILE", help="where the table goes (default: standard output)")
    parser.add_argument("--delimiter", help="between columns (default: a tab in .tsv, else a comma)")
    args = parser.parse_args()
    if not args.texts and not args.csv:
        parser.error("give texts, or a table with --csv")
    model = Model(pathlib.Path(__file__).resolve().parent)
    for text, answer in zip(args.texts, model.predict(args.texts)):
        print(json.dumps({"text": text, **(answer or {"label": None, "score": None})}, ensure_ascii=False))
    if args.csv:
        delimiter = args.delimiter or ("\t" if args.csv.endswith(".tsv") else ",")
        with open(args.csv, encoding="utf-8-sig", newline="") as source:
            if args.output:
                with open(args.output, "w", encoding="utf-8", newline="") as target:
                    classify_csv(model, source, target, args.text or ["text"], delimiter)
            else:
                classify_csv(model, source, sys.stdout, args.text or ["text"], delimiter)


if __name__ == "__main__":
    main()
`;
