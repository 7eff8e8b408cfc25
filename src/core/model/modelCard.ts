import type { Architecture, Layer } from './architecture';
import type { ModelManifest } from './manifest';

/** The card of an exported model, README.md: what it answers, how good it is, where it came from and how to run it. In Markdown, from what model.json says. */
export function modelCard(manifest: ModelManifest): string {
  const { name, version, description, task, tokenizer, precision, parent, data, metrics, temperature, seed, sha256, architecture, ensemble } = manifest;
  const facts: readonly (readonly [string, string])[] = [
    ['answers', task.kind === 'number' ? (task.value ? `a number, ${code(task.value.name)}` : 'a number') : `${task.value ? `a number, ${code(task.value.name)}, and ` : ''}${task.kind === 'multi' ? 'any of' : 'one of'} ${listed(task.labels.map(({ id, name: shown }) => (shown === undefined || shown === id ? code(id) : `${code(id)} (${plain(shown)})`)))}`],
    ['architecture', ensemble ? `the weighted average of the scores of ${ensemble.members.length} models, in one graph` : architectureText(architecture)],
    ['reads', `${count(tokenizer.maxTokens)} tokens of a text; of a longer one the first and the last half`],
    ['weights', `${precision}, SHA-256 ${code(sha256)}`],
    ...(parent === undefined ? [] : [['started from', code(parent)] as const]),
    [ensemble ? 'put together on' : 'trained on', Object.entries(data).map(([key, value]) => `${plain(key)} ${typeof value === 'number' ? count(value) : code(value)}`).join(', ') || 'not said'],
    ...(ensemble ? [] : ([['seed', String(seed)], ['temperature', `${short(temperature)}, applied in model.onnx`]] as const)),
    ...(task.thresholds ? [['thresholds', task.thresholds.map(short).join(', ')] as const] : task.threshold === undefined ? [] : [['threshold', short(task.threshold)] as const]),
  ];
  const measured = Object.entries(metrics);
  return [
    `# ${plain(name)} ${plain(version)}`,
    ...(description === undefined ? [] : [plain(description)]),
    table(['', ''], facts),
    ...(ensemble ? ['## Members', table(['model', 'weight', 'architecture', 'temperature', 'weights'], ensemble.members.map((member) => [`${plain(member.name)} ${plain(member.version)}`, short(member.weight), architectureText(member.architecture), short(member.temperature), member.precision]))] : []),
    ...(measured.length === 0 ? [] : [ensemble ? '## On the rows that the weights of the members were fitted on' : '## On rows that were held out from training', table(['measure', 'value'], measured.map(([key, value]) => [plain(key), short(value)]))]),
    '## Run it',
    '```sh\npip install onnxruntime tokenizers numpy\npython run_model.py "A text." "Another text."\npython run_model.py --csv texts.csv --text text --output texts.predicted.csv\n```',
    'Or in any ONNX Runtime: `model.onnx` takes `input_ids` int32 [batch, time] and `lengths` int32 [batch], and gives `scores` float32 ' +
      `[batch, ${task.kind === 'number' ? '1] (the value)' : `${task.labels.length}] (probabilities, in the order above)`} and \`features\` float32 [batch, dim]${task.kind === 'single' && task.value ? ', and `value` float32 [batch, 1] (the number)' : ''}. ` +
      '`tokenizer.json` is for Hugging Face’s `tokenizers` and makes the ids, normalization included. A text of no tokens has no meaningful scores.',
    ensemble ? 'Label Lens opens this folder as a model. Training goes on from its members, not from the ensemble.' : 'Label Lens opens this folder as a model, and goes on training from it.',
  ].join('\n\n') + '\n';
}

function architectureText({ preset, layers }: Architecture): string {
  return `preset ${code(preset)}: ${layers.flatMap(layerText).join(' → ')}`;
}

function layerText(layer: Layer): string[] {
  switch (layer.type) {
    case 'embedding':
      return [`embedding ${count(layer.vocabularySize)} × ${layer.size}`];
    case 'lstm':
      return [`${layer.bidirectional ? 'bidirectional ' : ''}LSTM, ${layer.units} units${layer.bidirectional ? ' each way' : ''}`];
    case 'pool':
      return [`${layer.methods.join(' + ')} pooling`];
    case 'conv':
      return [`convolution, ${layer.filters} filters over ${layer.kernelSize} tokens`];
    case 'maxPool':
      return [`greatest of every ${layer.size}`];
    case 'attention':
      return [`additive attention, ${layer.units}`];
    case 'dense':
      return [`dense, ${layer.units}`];
    case 'ngrams':
      return [`beside it, straight to the scores, n-grams of up to ${layer.longest} tokens in ${count(layer.buckets)} buckets`];
    case 'dropout':
      return [];
  }
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [`| ${header.join(' | ')} |`, `|${'---|'.repeat(header.length)}`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

/** The first labels; a model may have thousands. */
function listed(labels: readonly string[]): string {
  return labels.length <= 50 ? labels.join(', ') : `${labels.slice(0, 50).join(', ')} and ${labels.length - 50} more`;
}

/** Text from a file that may come from anywhere, so that it stays text: no markup, no cell of its own. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#!]/g, '\\$&').trim();
}

function code(text: string): string {
  return `\`${text.replace(/\s+/g, ' ').replace(/[`|]/g, '’')}\``;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}
