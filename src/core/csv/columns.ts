/** Which columns hold the texts. */
import { HumanError } from '../errors';
import type { RecordSource, TextRecord } from './record';

/**
 * Indices of the columns with these names: the same name, else the same but for letter case and blanks around it, else in a file without a header its number.
 *
 * @throws HumanError `csv.column` if there is none
 */
export function columnIndices(source: Pick<RecordSource, 'fileName' | 'columns'>, names: readonly string[]): number[] {
  const { fileName, columns } = source;
  const folded = columns.map((column) => column.trim().toLowerCase());
  return names.map((name) => {
    const exact = columns.indexOf(name);
    const index = exact >= 0 ? exact : folded.indexOf(name.trim().toLowerCase());
    if (index < 0) {
      throw new HumanError('csv.column', '{0} has no column "{1}". Choose one of its columns: {2}.', [fileName, name, columns.map((column) => `"${column}"`).join(', ') || '(none)']);
    }
    return index;
  });
}

/** The text to classify: the values of these columns in order, joined with a blank line; empty and missing ones are left out. */
export function recordText(record: Pick<TextRecord, 'value'>, columns: readonly number[]): string {
  if (columns.length === 1) return record.value(columns[0]!) ?? '';
  return columns
    .map((column) => record.value(column) ?? '')
    .filter((value) => value.trim() !== '')
    .join('\n\n');
}

/** What a column name says about its content: a factor on the score. */
const nameHints: readonly (readonly [RegExp, number])[] = [
  [/^(?:text|texts|full_?text|文本|正文)$/, 4],
  [/(?:^|[^\p{L}])(?:text|review|content|body|message|comment|sentence|tweet|feedback|description|utterance|question)s?(?:$|[^\p{L}])|评论|内容|文本|正文|留言|评价|描述|弹幕/u, 3],
  [/(?:^|[^\p{L}])(?:title|headline|summary|subject)s?(?:$|[^\p{L}])|标题|摘要/u, 1.7],
  [/(?:^|[^\p{L}])(?:id|ids|uid|uuid|url|uri|link|date|time|timestamp|label|labels|category|class|target|author|user|username|name|email|path|file|lang|language|source)(?:$|[^\p{L}])|编号|序号|日期|时间|链接|标签|类别|作者|用户|来源/u, 0.2],
];

/**
 * The columns that most likely hold the texts, best first: those whose values read like natural language, longest first, with a hint from the name. Usually one; none if no
 * column reads like text.
 *
 * @param header names of the columns
 * @param samples values of some records, in the order of the header; 20 to 200 are plenty
 */
export function guessTextColumns(header: readonly string[], samples: readonly (readonly string[])[]): number[] {
  const scores = header.map((name, column) => {
    const hint = nameFactor(name);
    const values = samples.map((sample) => sample[column] ?? '').filter((value) => value.trim() !== '');
    if (values.length === 0) return hint > 1 && samples.length === 0 ? hint : 0;
    const natural = values.reduce((sum, value) => sum + naturalLength(value), 0) / values.length;
    // labels and names come again and again, texts hardly ever
    const distinct = new Set(values).size / values.length;
    return Math.log1p(natural) * (0.25 + 0.75 * distinct) * hint;
  });
  const best = Math.max(0, ...scores);
  if (best === 0) return [];
  return [scores.indexOf(best)];
}

/** Names of columns that hold labels, the likelier ones first. */
const labelNames: readonly RegExp[] = [
  /^(?:label|labels|gold|gold label|target|标签|标注)$/,
  /(?:^|[^\p{L}])(?:label|sentiment|category|class|intent|topic|emotion|polarity|spam|toxic)(?:$|[^\p{L}])|标签|类别|分类|情感|情绪|意图|主题/u,
  /(?:^|[^\p{L}])(?:rating|stars|score|grade|priority|status|type|kind|group|department)(?:$|[^\p{L}])|星级|评分|打分|优先级|类型|状态/u,
];
/** Names of columns that seldom hold labels, however few values they have. */
const noLabelName = /(?:^|[^\p{L}])(?:id|uid|uuid|url|uri|date|time|timestamp|year|author|user|username|name|email|path|file|language|lang|predicted|annotator)(?:$|[^\p{L}])|编号|序号|日期|时间|链接|作者|用户|来源/u;

/** Different labels that a column may have to be taken for one of labels. */
const mostLabels = 50;
/** UTF-16 units of the longest label that is taken for one. */
const longestLabel = 60;

/**
 * The column that most likely holds the labels: by its name if that says so, else the one with few values that come again and again. Undefined if no column looks like that.
 *
 * @param header names of the columns
 * @param samples values of some records, in the order of the header
 */
export function guessLabelColumn(header: readonly string[], samples: readonly (readonly string[])[]): number | undefined {
  const columns = header.map((name, column) => {
    const values = samples.map((sample) => sample[column]?.trim() ?? '').filter((value) => value !== '');
    const distinct = new Set(values);
    const words = wordsOf(name);
    const place = labelNames.findIndex((pattern) => pattern.test(words));
    return {
      column,
      place: place < 0 ? labelNames.length : place,
      fits: [...distinct].every((value) => value.length <= longestLabel) && distinct.size <= mostLabels,
      // a file may be sorted by its labels, so that its beginning has one only
      repeats: distinct.size >= 2 && distinct.size <= values.length / 2,
      distinct: distinct.size,
      isNumeric: values.every((value) => /^[-+]?[\d.,]+$/.test(value)),
      isUnlikely: noLabelName.test(words) || values.some((value) => /^\d{4}-\d\d-\d\d/.test(value)),
    };
  });
  const named = columns.filter(({ place, fits, distinct, isUnlikely }) => fits && !isUnlikely && place < labelNames.length && (distinct > 0 || samples.length === 0));
  const others = columns.filter(({ fits, repeats, isUnlikely }) => fits && repeats && !isUnlikely);
  const byName = named.sort((a, b) => a.place - b.place || Number(b.repeats) - Number(a.repeats) || a.column - b.column);
  const byValues = others.sort((a, b) => Number(a.isNumeric) - Number(b.isNumeric) || a.distinct - b.distinct || a.column - b.column);
  return (byName[0] ?? byValues[0])?.column;
}

function nameFactor(name: string): number {
  const words = wordsOf(name);
  return nameHints.find(([pattern]) => pattern.test(words))?.[1] ?? 1;
}

/** A column's name in lower case, with a blank where camelCase has its humps. */
function wordsOf(name: string): string {
  return name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .trim()
    .toLowerCase();
}

const noText = [
  /^[\d\s.,:;+\-/%$€£¥()]*$/, // numbers, dates, telephone numbers
  /^(?:https?:|www\.|file:|[\w.-]+@)\S+$/i,
  /^[\w-]*(?:\/[\w.-]+)+$/, // paths
  /^[0-9a-f]{8,}$|^[0-9a-f]{8}-[0-9a-f-]{27}$/i,
  /^\d{4}-\d\d-\d\d[T ]/,
  /^[{[].*[}\]]$/s, // JSON in a cell
];

const han = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/g;

/** Letters of natural language in a value, up to 2,000; a Han, kana or hangul counts three. A single word of Latin letters counts little: it may be a label or a name. */
function naturalLength(value: string): number {
  const text = value.slice(0, 2000).trim();
  if (noText.some((pattern) => pattern.test(text))) return 0;
  const wide = text.match(han)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const words = text.split(/\s+/).length;
  const narrow = letters - wide;
  return 3 * wide + (words === 1 ? Math.min(narrow, 2) : narrow);
}
