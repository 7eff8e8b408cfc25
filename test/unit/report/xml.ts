import { createRequire } from 'node:module';
import * as path from 'node:path';

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

interface Parser {
  onerror: (error: Error) => void;
  onopentag: (tag: { readonly name: string; readonly attributes: Readonly<Record<string, string>> }) => void;
  onclosetag: () => void;
  ontext: (text: string) => void;
  write(xml: string): Parser;
  close(): void;
}

const sax = createRequire(path.resolve('package.json'))('sax') as { parser(strict: boolean): Parser };

/** The elements of an XML document, in order, each with the text right in it. @throws where it is not well-formed */
export function elementsOf(xml: string): readonly Element[] {
  // characters that XML does not have (XML 1.0, 2.2), which the parser does not look at
  if (/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/u.test(xml)) throw new Error('A character that XML does not have.');
  const elements: Element[] = [];
  const open: Element[] = [];
  const parser = sax.parser(true);
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name, attributes }) => {
    const element: Element = { name, attributes, text: '' };
    elements.push(element);
    open.push(element);
  };
  parser.onclosetag = () => void open.pop();
  parser.ontext = (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.write(xml).close();
  return elements;
}
