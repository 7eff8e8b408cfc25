// @ts-check
// The strings that people read, collected from the source: calls of `l10n.t`, the templates of HumanErrors, and what is said of presets and hyperparameters.
//   node scripts/l10n.mjs      writes l10n/bundle.l10n.json and says what each translation lacks or no longer needs
import ts from 'typescript';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} Collected
 * @property {string[]} strings each string once, sorted
 * @property {string[]} unreadable where a string is not written out in the source, `file:line`, so that nobody can translate it
 */

/**
 * Strings of the source files under `root`, without the command line's, which speaks English only.
 * @param {string} root
 * @returns {Collected}
 */
export function collectStrings(root) {
  const strings = new Set();
  /** @type {string[]} */
  const unreadable = [];
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !name.startsWith('cli') && !name.includes('/assembly/'))
    .sort();
  for (const name of files) {
    const source = ts.createSourceFile(name, readFileSync(path.join(root, name), 'utf8'), ts.ScriptTarget.Latest, true);
    /** @param {ts.Node} node */
    const visit = (node) => {
      const argument = stringArgument(node) ?? (described.has(name) ? description(node) : undefined);
      if (argument) {
        const text = literal(argument);
        if (text !== undefined) strings.add(text);
        // an error that is rebuilt or translated carries its template along
        else if (!/(^|\.)template$/.test(argument.getText())) unreadable.push(`${root}/${name}:${source.getLineAndCharacterOfPosition(argument.getStart()).line + 1}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { strings: [...strings].sort(), unreadable };
}

/**
 * The argument that holds a person's string, if `node` has one.
 * @param {ts.Node} node
 * @returns {ts.Expression | undefined}
 */
function stringArgument(node) {
  if (ts.isNewExpression(node) && node.expression.getText() === 'HumanError') return node.arguments?.[1];
  if (ts.isCallExpression(node) && /(^|\.)l10n\.t$/.test(node.expression.getText())) return node.arguments[0];
  return undefined;
}

/** Where a person is told in a line what each entry of a list is: the command line says it in English, the training panel in the person's language. */
const described = new Set(['core/model/hyperparameters.ts', 'core/model/presets.ts']);

/**
 * That line, if `node` holds it: as a field, or as what `preset(name, description, …)` is called with.
 * @param {ts.Node} node
 * @returns {ts.Expression | undefined}
 */
function description(node) {
  if (ts.isCallExpression(node) && node.expression.getText() === 'preset') return node.arguments[1];
  if (!ts.isPropertyAssignment(node) || !ts.isIdentifier(node.name)) return undefined;
  return ['help', 'description'].includes(node.name.text) ? node.initializer : undefined;
}

/**
 * The value of a string literal, also of several joined by `+`.
 * @param {ts.Expression} node
 * @returns {string | undefined}
 */
function literal(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return literal(node.expression);
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined;
  const [left, right] = [literal(node.left), literal(node.right)];
  return left === undefined || right === undefined ? undefined : left + right;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { strings, unreadable } = collectStrings('src');
  for (const place of unreadable) console.error(`${place}: write the string out here, so that it can be translated.`);
  writeFileSync('l10n/bundle.l10n.json', `${JSON.stringify(Object.fromEntries(strings.map((text) => [text, text])), null, 2)}\n`);
  for (const file of readdirSync('l10n').filter((name) => /^bundle\.l10n\..+\.json$/.test(name))) {
    /** @type {Record<string, string>} */
    const translation = JSON.parse(readFileSync(path.join('l10n', file), 'utf8'));
    for (const text of strings) if (!(text in translation)) console.error(`${file} lacks: ${JSON.stringify(text)}`);
    for (const text of Object.keys(translation)) if (!strings.includes(text)) console.error(`${file} no longer needs: ${JSON.stringify(text)}`);
  }
  if (unreadable.length > 0) process.exitCode = 1;
}
