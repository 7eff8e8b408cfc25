import { fillTemplate } from '../src/core/errors';
import { panelStrings, type PanelStringKey } from '../src/core/protocol/panelStrings';

let translations: Readonly<Record<string, string>> = {};
let language = 'en';

/** Takes over what the host has translated, by its English. */
export function setLanguage(strings: Readonly<Record<string, string>>, tag: string): void {
  translations = strings;
  try {
    language = Intl.getCanonicalLocales(tag)[0] ?? 'en';
  } catch {
    language = 'en';
  }
}

/** BCP 47. */
export function pageLanguage(): string {
  return language;
}

/** A text of the page in the person's language, filled in. Numbers are written as that language writes them. */
export function say(key: PanelStringKey, ...args: readonly (string | number)[]): string {
  return translate(panelStrings[key], args);
}

/** An English text in the person's language, filled in, as {@link say} does; as it is where nobody has translated it. */
export function translate(english: string, args: readonly (string | number)[] = []): string {
  return fillTemplate(Object.hasOwn(translations, english) ? (translations[english] ?? english) : english, args.map((each) => (typeof each === 'number' ? number(each) : each)));
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(language, { maximumFractionDigits: digits });
}

/** A value of a `number` task or of a measure, to three digits. */
export function measure(value: number): string {
  return value.toLocaleString(language, { maximumSignificantDigits: 3 });
}

/** `97 %`; only certainty is 100 %, and only impossibility 0 %. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  return say('percent', share < 1 && rounded === 100 ? 99 : share > 0 && rounded === 0 ? 1 : rounded);
}

/** A moment as the person's language writes it, to the minute. */
export function when(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleString(language, { dateStyle: 'short', timeStyle: 'short' });
}
