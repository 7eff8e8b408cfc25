import * as vscode from 'vscode';
import { bar, escapeMarkdown, shapeOf, STYLES } from '../app/format';
import { decided, percent, ranked, type LabelScore, type Prediction } from '../app/prediction';

/** The contributed theme colour of the label with that index among the model's labels. */
export function colorOf(index: number): vscode.ThemeColor {
  return new vscode.ThemeColor(colorName(index));
}

function colorName(index: number): string {
  return `labelLens.label${(index % STYLES) + 1}`;
}

/** `● positive 97 %` */
export function scoreText({ label, index, score }: LabelScore): string {
  return vscode.l10n.t('{0} {1} {2} %', shapeOf(index), label, percent(score));
}

/** What the model decided, as a CodeLens or a row shows it: `● positive 97 %`; for `number` the value. */
export function titleOf(prediction: Prediction): string {
  if (prediction.kind === 'number') return valueText(prediction);
  const labels = decided(prediction);
  return labels.length > 0 ? labels.map(scoreText).join(' · ') : vscode.l10n.t('no label');
}

/** The answer at a selection, with the runner-up: `● positive 97 % · ◆ negative 3 %`. */
export function answerOf(prediction: Prediction): string {
  if (prediction.kind === 'number') return valueText(prediction);
  return ranked(prediction)
    .slice(0, Math.max(2, decided(prediction).length))
    .map(scoreText)
    .join(' · ');
}

function valueText({ scores }: Prediction): string {
  return `≈ ${(scores[0] ?? 0).toLocaleString(vscode.env.language, { maximumSignificantDigits: 3 })}`;
}

/** `sentiment 1.0.0` */
export function modelText({ model }: Prediction): string {
  return `${model.name} ${model.version}`;
}

/** Labels a hover lists at most; the rest is counted. */
const HOVER_LABELS = 12;
/** Characters of a full bar. */
const BAR_WIDTH = 20;

/** All labels with bars, and the model that said so. Labels and model names come from files and are escaped. */
export function hoverOf(prediction: Prediction): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  // for the colour of the bars, which VS Code's sanitizer lets through as a theme variable
  markdown.supportHtml = true;
  const all = ranked(prediction);
  if (prediction.kind === 'number') markdown.appendMarkdown(`${escapeMarkdown(valueText(prediction))}\n\n`);
  else markdown.appendMarkdown(`| ${escapeMarkdown(vscode.l10n.t('Label'))} | | |\n|:--|:--|--:|\n`);
  for (const entry of all.slice(0, HOVER_LABELS)) {
    markdown.appendMarkdown(`| ${shapeOf(entry.index)} ${escapeMarkdown(entry.label)} | <span style="color:var(--vscode-${colorName(entry.index).replace('.', '-')});">${bar(entry.score, BAR_WIDTH)}</span> | ${escapeMarkdown(vscode.l10n.t('{0} %', percent(entry.score)))} |\n`);
  }
  markdown.appendMarkdown('\n');
  if (all.length > HOVER_LABELS) markdown.appendMarkdown(`${escapeMarkdown(vscode.l10n.t('and {0} more labels', all.length - HOVER_LABELS))}\n\n`);
  markdown.appendMarkdown(`${escapeMarkdown(vscode.l10n.t('Model {0}', modelText(prediction)))}\n`);
  return markdown;
}
