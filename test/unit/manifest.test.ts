import * as assert from 'node:assert';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { collectStrings } from '../../scripts/l10n.mjs';
import { STYLES } from '../../src/app/format';
import { commandIds, contextKeys, internalCommandIds } from '../../src/commands/ids';

interface Manifest {
  readonly main: string;
  readonly l10n: string;
  readonly activationEvents: readonly string[];
  readonly capabilities: { readonly untrustedWorkspaces: { readonly supported: unknown; readonly restrictedConfigurations: readonly string[] } };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
    readonly menus: Readonly<Record<string, readonly ({ readonly command: string; readonly when?: string } | { readonly submenu: string; readonly when?: string })[]>>;
    readonly submenus: readonly { readonly id: string }[];
    readonly keybindings: readonly { readonly command: string; readonly when: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly default: unknown; readonly scope: string; readonly enum?: readonly string[]; readonly enumDescriptions?: readonly string[] }>> };
    readonly colors: readonly { readonly id: string; readonly defaults: Readonly<Record<'dark' | 'light' | 'highContrast' | 'highContrastLight', string>> }[];
    readonly walkthroughs: readonly { readonly steps: readonly { readonly media: { readonly svg: string }; readonly completionEvents: readonly string[] }[] }[];
    readonly languages: readonly { readonly id: string }[];
  };
}

type Strings = Readonly<Record<string, string>>;
const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const manifest = readJson<Manifest>('package.json');
const { contributes } = manifest;
const source = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
    .join('\n');

/** Placeholders of a string, such as `{0}`, and names in backquotes, each once and sorted: what a translation must keep. */
function fixedParts(text: string): string[] {
  return [...new Set(text.match(/\{\d+\}|`labelLens\.[^`]+`|labelLens\.[\w.]+/g) ?? [])].sort();
}

describe('package.json', () => {
  it('contributes exactly the commands that the code registers', () => {
    assert.deepStrictEqual(contributes.commands.map(({ command }) => command).sort(), Object.values(commandIds).sort());
    for (const { category, title } of contributes.commands) {
      assert.strictEqual(category, 'Label Lens');
      assert.match(readJson<Strings>('package.nls.json')[title.slice(1, -1)]!, /^([A-Z]\w+)(-[A-Z]\w+)?( [A-Z]\w+)*$/, `${title} in Title Case`);
    }
  });

  it('names only its own commands in menus and key bindings, and only context keys that the code sets', () => {
    const used = [...Object.values(contributes.menus).flat(), ...contributes.keybindings];
    for (const entry of used) {
      const { when } = entry;
      if ('submenu' in entry) assert.ok(contributes.submenus.some(({ id }) => id === entry.submenu), entry.submenu);
      else assert.ok(Object.values<string>(commandIds).includes(entry.command), entry.command);
      for (const key of when?.replace(/\bview == [\w.]+/g, '').match(/labelLens\.[\w.]+/g) ?? []) assert.ok(Object.values<string>(contextKeys).includes(key), key);
    }
    for (const { when } of contributes.keybindings) assert.match(when, /labelLens\./, 'a key is bound only where there is something of ours to act on');
  });

  it('links only to its own commands and to those of VS Code, from welcome texts and the walkthrough', () => {
    const known: readonly string[] = [...Object.values(commandIds), ...Object.values(internalCommandIds)];
    for (const file of ['package.nls.json', 'package.nls.zh-cn.json']) {
      const links = Object.values(readJson<Strings>(file)).flatMap((text) => [...text.matchAll(/\(command:([\w.]+)\)/g)].map((match) => match[1]!));
      assert.ok(links.length > 4);
      for (const link of links) assert.ok(known.includes(link) || link.startsWith('workbench.'), `${link} in ${file}`);
    }
  });

  it('has a walkthrough of at most five steps, each with a picture that follows the theme and something that completes it', () => {
    const [walkthrough, ...others] = contributes.walkthroughs;
    assert.ok(walkthrough && others.length === 0 && walkthrough.steps.length <= 5);
    for (const { media, completionEvents } of walkthrough.steps) {
      assert.match(readFileSync(media.svg, 'utf8'), /var\(--vscode-/);
      assert.ok(completionEvents.length > 0);
      for (const event of completionEvents) {
        const [kind, what = ''] = event.split(':');
        assert.ok(kind === 'onContext' ? Object.values<string>(contextKeys).includes(what) : [...Object.values<string>(commandIds), ...Object.values<string>(internalCommandIds)].includes(what), event);
      }
    }
  });

  it('keeps command ids in one place', () => {
    const known = [...Object.values(commandIds), ...Object.values(internalCommandIds), ...Object.values(contextKeys)];
    for (const folder of ['src/editor', 'src/panel', 'src/app']) for (const id of known) assert.ok(!source(folder).includes(`'${id}'`), `${id} in ${folder}: import it from commands/ids`);
  });

  it('starts for documents, commands and its own panels only', () => {
    for (const event of manifest.activationEvents) assert.match(event, /^(onLanguage:\w+|onWebviewPanel:labelLens\.(panel|trainingPanel))$/);
    assert.strictEqual(manifest.main, './dist/extension.js');
  });

  it('gives every setting a default among its values, a scope and a description of each value', () => {
    for (const [name, setting] of Object.entries(contributes.configuration.properties)) {
      assert.match(name, /^labelLens(\.[a-z]\w*)+$/);
      assert.ok(setting.scope, `${name} has a scope`);
      if (!setting.enum) continue;
      assert.ok(setting.enum.includes(setting.default as string), name);
      assert.strictEqual(setting.enumDescriptions?.length, setting.enum.length, name);
    }
  });

  it('has the same settings and defaults as the README', () => {
    const told = [...readFileSync('README.md', 'utf8').matchAll(/^\| `(labelLens\.[^`]+)` \| `([^`]*)` \|/gm)].map(([, name, value]) => [name, value]);
    assert.deepStrictEqual(told.sort(), Object.entries(contributes.configuration.properties).map(([name, setting]) => [name, String(setting.default)]).sort());
  });

  it('reads only settings that it contributes', () => {
    const read = [...readFileSync('src/editor/settings.ts', 'utf8').matchAll(/\.get<\w+>\('([\w.]+)'/g)].map((match) => `labelLens.${match[1]}`);
    assert.deepStrictEqual([...new Set(read)].sort(), Object.keys(contributes.configuration.properties).sort());
  });

  it('does not let an untrusted workspace choose the model', () => {
    assert.strictEqual(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.deepStrictEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, ['labelLens.model']);
  });
});

describe('label colours', () => {
  it('are as many as there are shapes', () => {
    assert.deepStrictEqual(
      contributes.colors.map(({ id }) => id),
      Array.from({ length: STYLES }, (_, index) => `labelLens.label${index + 1}`),
    );
  });

  // WCAG 2.2: 4.5 for text, 7 where a person has asked for high contrast; backgrounds of VS Code's own themes
  for (const [theme, background, least] of [
    ['dark', '#1f1f1f', 4.5],
    ['light', '#ffffff', 4.5],
    ['highContrast', '#000000', 7],
    ['highContrastLight', '#ffffff', 7],
  ] as const) {
    it(`can be read in the theme kind ${theme}`, () => {
      for (const { id, defaults } of contributes.colors) {
        const ratio = contrast(defaults[theme], background);
        assert.ok(ratio >= least, `${id} ${defaults[theme]}: ${ratio.toFixed(2)}`);
      }
    });
  }

  function contrast(first: string, second: string): number {
    const [high, low] = [luminance(first), luminance(second)].sort((a, b) => b - a) as [number, number];
    return (high + 0.05) / (low + 0.05);
  }

  function luminance(color: string): number {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
});

describe('strings that people read', () => {
  const english = readJson<Strings>('package.nls.json');
  const used = [...new Set(JSON.stringify(manifest).match(/%[\w.]+%/g))].map((key) => key.slice(1, -1));

  it('package.json: every key is there, and none too many', () => {
    assert.deepStrictEqual(Object.keys(english).sort(), used.sort());
  });

  for (const file of readdirSync('.').filter((name) => /^package\.nls\..+\.json$/.test(name))) {
    it(`${file} has the same keys and keeps what must not be translated`, () => {
      const translation = readJson<Strings>(file);
      assert.deepStrictEqual(Object.keys(translation).sort(), Object.keys(english).sort());
      for (const [key, text] of Object.entries(english)) assert.deepStrictEqual(fixedParts(translation[key]!), fixedParts(text), key);
    });
  }

  const { strings, unreadable } = collectStrings('src');

  it('code: every string is written out where it is used, so that it can be translated', () => {
    assert.deepStrictEqual(unreadable, []);
    assert.ok(strings.length > 20);
  });

  it('code: placeholders count up from 0', () => {
    for (const text of strings) {
      const numbers = [...new Set([...text.matchAll(/\{(\d+)\}/g)].map((match) => Number(match[1])))].sort((a, b) => a - b);
      assert.deepStrictEqual(numbers, numbers.map((_, index) => index), text);
    }
  });

  it('l10n/bundle.l10n.json is what `node scripts/l10n.mjs` writes', () => {
    assert.deepStrictEqual(Object.keys(readJson<Strings>('l10n/bundle.l10n.json')), strings);
  });

  for (const file of readdirSync('l10n').filter((name) => /^bundle\.l10n\..+\.json$/.test(name))) {
    it(`l10n/${file} translates every string, no other, and keeps the placeholders`, () => {
      const translation = readJson<Strings>(`l10n/${file}`);
      assert.deepStrictEqual(strings.filter((text) => !(text in translation)), [], 'not translated');
      assert.deepStrictEqual(Object.keys(translation).filter((text) => !strings.includes(text)), [], 'no longer used');
      for (const [text, translated] of Object.entries(translation)) assert.deepStrictEqual(fixedParts(translated), fixedParts(text), text);
    });
  }

  it('there is a translation into Chinese for whatever is in English', () => {
    assert.ok(existsSync('package.nls.zh-cn.json') && existsSync('l10n/bundle.l10n.zh-cn.json'));
    assert.strictEqual(manifest.l10n, './l10n');
  });
});
