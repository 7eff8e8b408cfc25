import * as vscode from 'vscode';
import { isLog } from '../core/text/lines';

/** How a document is annotated: by segments with a CodeLens above each, by records with an annotation in the row, or not at all. */
export type DocumentKind = 'prose' | 'rows';

/** Schemes of documents that a person wrote or opened, not of output panels, comparisons and input boxes. */
const SCHEMES = ['file', 'untitled', 'vscode-remote', 'vscode-vfs'];
const PROSE_LANGUAGES = ['plaintext', 'markdown'];
/** `csv (semicolon)` and the like are the names that the extension Rainbow CSV gives. */
const ROW_LANGUAGES = ['csv', 'tsv', 'jsonl', 'log', 'csv (semicolon)', 'csv (pipe)', 'csv (whitespace)', 'dynamic csv'];
const ROW_FILES = /\.(csv|tsv|tab|psv|jsonl|ndjson)$/i;

export function kindOf(document: vscode.TextDocument): DocumentKind | undefined {
  if (!SCHEMES.includes(document.uri.scheme)) return undefined;
  if (ROW_LANGUAGES.includes(document.languageId) || ROW_FILES.test(document.uri.path) || isLog(document.uri.path)) return 'rows';
  return PROSE_LANGUAGES.includes(document.languageId) ? 'prose' : undefined;
}

export const proseSelector: vscode.DocumentSelector = SCHEMES.flatMap((scheme) => PROSE_LANGUAGES.map((language) => ({ scheme, language })));

export const annotatedSelector: vscode.DocumentSelector = SCHEMES.flatMap((scheme) => [
  ...[...PROSE_LANGUAGES, ...ROW_LANGUAGES].map((language) => ({ scheme, language })),
  { scheme, pattern: '**/*.{csv,tsv,tab,psv,jsonl,ndjson,log}' },
]);

/** Characters of prose that are cut into segments; what lies beyond is left alone, so that an edit of a huge file costs no more than one of a large file. */
export const PROSE_CHARACTERS = 1_000_000;

/** The beginning of a document up to {@link PROSE_CHARACTERS}, by whole lines, and whether that is all of it. Offsets in it are the document's. */
export function beginningOf(document: vscode.TextDocument): { readonly text: string; readonly complete: boolean } {
  let characters = 0;
  for (let line = 0; line < document.lineCount; line++) {
    characters += document.lineAt(line).text.length + 1;
    if (characters > PROSE_CHARACTERS) return { text: document.getText(new vscode.Range(0, 0, line, 0)), complete: false };
  }
  return { text: document.getText(), complete: true };
}
