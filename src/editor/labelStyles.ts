import * as vscode from 'vscode';
import { bar, escapeMarkdown, shapeOf, STYLES } from '../app/format';
import type { ShownAnswer, ShownDecision, ShownGuess, ShownScore, TextAnnotation } from '../app/labeling/textAnnotation';
import { percent } from '../app/prediction';
import { decidingWords, type DecidingWord } from '../core/labels/decidingWords';
import type { WordWeight } from '../core/labels/view';
import { commandIds, internalCommandIds, type DecideArgument, type TextArgument } from '../commands/ids';

/** The contributed theme colour of the labels with that colour index. */
export function colorOf(style: number): vscode.ThemeColor {
  return new vscode.ThemeColor(colorName(style));
}

function colorName(style: number): string {
  return `labelLens.label${(style % STYLES) + 1}`;
}

/** `● positive 97 %` */
export function scoreText({ name, style, score }: ShownScore): string {
  return vscode.l10n.t('{0} {1} {2} %', shapeOf(style), name, percent(score));
}

/** What a model holds to be right, as a CodeLens or a row shows it: `● positive 97 %`; for `number` the value, and of a joint model both: `● positive 97 % · ≈ 4.2`. */
export function titleOf(guess: ShownGuess): string {
  if (guess.kind === 'number') return valuesOf(guess).join('');
  return [...(guess.chosen.length > 0 ? guess.chosen.map(scoreText) : [vscode.l10n.t('no label')]), ...valuesOf(guess)].join(' · ');
}

/** The answer at a selection, with the runner-up: `● positive 97 % · ◆ negative 3 %`. */
export function answerOf(guess: ShownGuess): string {
  if (guess.kind === 'number') return titleOf(guess);
  const { chosen, scores } = guess;
  const named = [...chosen, ...scores.filter(({ id }) => chosen.every((own) => own.id !== id))].slice(0, Math.max(2, chosen.length));
  return [...named.map(scoreText), ...valuesOf(guess)].join(' · ');
}

/** `≈ 4.2`; none for labels without a number. */
function valuesOf({ number }: ShownGuess): readonly string[] {
  return number === undefined ? [] : [`≈ ${numberText(number)}`];
}

/** The number of a guess with what it is called, where it has a name: `stars ≈ 4.2`; none for labels without a number. */
export function namedValuesOf(guess: ShownGuess): readonly string[] {
  return valuesOf(guess).map((text) => (guess.numberName === undefined ? text : `${guess.numberName} ${text}`));
}

export function numberText(value: number): string {
  return value.toLocaleString(vscode.env.language, { maximumSignificantDigits: 3 });
}

/** What accepting the guess decides: `positive`. */
export function guessedText(guess: ShownGuess): string {
  return guess.kind === 'number' ? numberText(guess.number ?? 0) : guess.chosen.map(({ name }) => name).join(' · ') || vscode.l10n.t('no label');
}

/** `positive`; of several labels all; of a number its value. */
export function answerText({ labels, number }: Pick<ShownAnswer, 'labels' | 'number'>): string {
  return number === undefined ? labels.map(({ name }) => name).join(' · ') || vscode.l10n.t('no label') : number.toLocaleString(vscode.env.language);
}

/**
 * What was decided, told apart from a guess by its sign and without a per cent: `✔ positive`; `≠` where others decided otherwise; `⚠ was positive` if the text was edited since.
 */
export function decisionText(decision: ShownDecision): string {
  const text = plainDecisionText(decision);
  return decision.others.length > 0 ? `${text} ≠` : text;
}

function plainDecisionText(decision: ShownDecision): string {
  const { status, stale } = decision;
  switch (status) {
    case 'labeled':
      return stale ? vscode.l10n.t('⚠ was {0}', answerText(decision)) : `✔ ${answerText(decision)}`;
    case 'skipped':
      return stale ? vscode.l10n.t('⚠ was skipped') : vscode.l10n.t('↷ skipped');
    case 'flagged':
      return stale ? vscode.l10n.t('⚠ was flagged') : vscode.l10n.t('⚑ flagged');
  }
}

/** As {@link decisionText}, with room for who decided, and what became of the text: `✔ positive (mei)`, `⚠ was positive, text changed`. */
export function decisionTitle(decision: ShownDecision): string {
  if (decision.stale) return vscode.l10n.t('{0}, text changed', plainDecisionText(decision));
  const title = vscode.l10n.t('{0} ({1})', plainDecisionText(decision), decision.annotator);
  return decision.others.length > 0 ? vscode.l10n.t('{0} ≠ {1}', title, decision.others.map(({ annotator }) => annotator).join(', ')) : title;
}

/** Labels a hover lists at most; the rest is counted. */
const HOVER_LABELS = 12;
/** Characters of a full bar. */
const BAR_WIDTH = 20;

/** A link of a hover to a command of ours. */
export interface HoverLink {
  readonly title: string;
  readonly command: string;
  readonly arguments: readonly unknown[];
}

/**
 * What was decided, if it was; then what the model says, all labels with bars; then what can be done. Labels, names of people and of models come from files and are escaped; the only
 * commands that a link can run are those of `links`.
 *
 * @param taskName name of the task whose guess it is
 */
export function hoverOf({ decision, guess }: Pick<TextAnnotation, 'decision' | 'guess'>, taskName?: string, links: readonly HoverLink[] = []): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  // for the colour of the bars, which VS Code's sanitizer lets through as a theme variable
  markdown.supportHtml = true;
  if (links.length > 0) markdown.isTrusted = { enabledCommands: [...new Set(links.map(({ command }) => command))] };
  if (decision) appendDecision(markdown, decision);
  if (guess) appendGuess(markdown, guess, taskName);
  if (links.length > 0) {
    const written = links.map(({ title, command, arguments: args }) => `[${escapeMarkdown(title)}](command:${command}?${encodeURIComponent(JSON.stringify(args))})`);
    markdown.appendMarkdown(`\n${written.join(' &nbsp;·&nbsp; ')}\n`);
  }
  return markdown;
}

function appendDecision(markdown: vscode.MarkdownString, decision: ShownDecision): void {
  const time = new Date(decision.at);
  const when = Number.isNaN(time.getTime()) ? decision.at : time.toLocaleString(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' });
  markdown.appendMarkdown(`**${escapeMarkdown(decisionText(decision))}** &nbsp; ${escapeMarkdown(vscode.l10n.t('{0}, {1}', decision.annotator, when))}\n\n`);
  if (decision.stale) markdown.appendMarkdown(`${escapeMarkdown(vscode.l10n.t('The text was edited after that.'))}\n\n`);
  for (const other of decision.others) {
    const said = plainDecisionText({ ...other, at: decision.at, stale: false, others: [] });
    markdown.appendMarkdown(`≠ ${escapeMarkdown(vscode.l10n.t('{0}: {1}', other.annotator, said))}\n\n`);
  }
}

function appendGuess(markdown: vscode.MarkdownString, guess: ShownGuess, taskName: string | undefined): void {
  for (const text of namedValuesOf(guess)) markdown.appendMarkdown(`${escapeMarkdown(text)}\n\n`);
  if (guess.kind !== 'number') markdown.appendMarkdown(`| ${escapeMarkdown(vscode.l10n.t('Label'))} | | |\n|:--|:--|--:|\n`);
  for (const { name, style, score } of guess.scores.slice(0, HOVER_LABELS)) {
    markdown.appendMarkdown(`| ${shapeOf(style)} ${escapeMarkdown(name)} | <span style="color:var(--vscode-${colorName(style).replace('.', '-')});">${bar(score, BAR_WIDTH)}</span> | ${escapeMarkdown(vscode.l10n.t('{0} %', percent(score)))} |\n`);
  }
  markdown.appendMarkdown('\n');
  if (guess.scores.length > HOVER_LABELS) markdown.appendMarkdown(`${escapeMarkdown(vscode.l10n.t('and {0} more labels', guess.scores.length - HOVER_LABELS))}\n\n`);
  markdown.appendMarkdown(`${escapeMarkdown(sourceText(guess, taskName))}\n`);
}

/** Words that a hover names on either side. */
const HOVER_WORDS = 5;

/** The words that speak most for the label of a guess, and those against it, as the panel tells them; undefined where no single word matters. */
export function wordsHover(guess: ShownGuess, text: string, weights: readonly WordWeight[]): vscode.MarkdownString | undefined {
  const { pro, contra } = decidingWords(text, weights, HOVER_WORDS);
  if (pro.length === 0 && contra.length === 0) return undefined;
  const list = (words: readonly DecidingWord[]): string => words.map(({ text: word, weight }) => `${word} (${weight > 0 ? '+' : '−'}${pointsText(weight)})`).join(', ') || '–';
  const markdown = new vscode.MarkdownString();
  const label = guess.kind === 'number' ? titleOf(guess) : ((guess.chosen[0] ?? guess.scores[0])?.name ?? '');
  markdown.appendMarkdown(`${escapeMarkdown(vscode.l10n.t('Words for {0}: {1}', label, list(pro)))}\n\n`);
  if (contra.length > 0) markdown.appendMarkdown(`${escapeMarkdown(vscode.l10n.t('Words against it: {0}', list(contra)))}\n`);
  return markdown;
}

/** A difference of scores in per cent: `1.5 %`. */
function pointsText(weight: number): string {
  return vscode.l10n.t('{0} %', Math.abs(weight * 100).toLocaleString(vscode.env.language, { maximumFractionDigits: 1 }));
}

/** Who says so: `Model sentiment 1.0.0`, `Guess of the task reviews`. */
export function sourceText({ model }: ShownGuess, taskName: string | undefined): string {
  return model === undefined ? vscode.l10n.t('Guess of the task {0}', taskName ?? '') : vscode.l10n.t('Model {0}', model);
}

/** What can be done about a text in the task that is open: accept its guess, label it, clear its label. */
export function linksOf({ decision, guess }: Pick<TextAnnotation, 'decision' | 'guess'>, text: TextArgument): readonly HoverLink[] {
  const decide = (title: string, argument: Omit<DecideArgument, keyof TextArgument>): HoverLink => ({ title, command: internalCommandIds.decide, arguments: [{ ...text, ...argument } satisfies DecideArgument] });
  const isDecided = decision !== undefined && !decision.stale;
  return [
    ...(guess?.value === undefined || isDecided ? [] : [decide(vscode.l10n.t('✓ Accept {0}', guessedText(guess)), { status: 'labeled', value: guess.value, origin: 'accept' })]),
    { title: isDecided && decision.status === 'labeled' ? vscode.l10n.t('Change…') : vscode.l10n.t('Label…'), command: commandIds.labelAs, arguments: [text] },
    ...(decision ? [decide(vscode.l10n.t('Clear'), { status: 'cleared', origin: 'editor' })] : []),
  ];
}
