import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const axeSource = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

/** What axe finds serious or critical in the page as it stands. @param looked rules that must have had something to look at */
export async function seriousFindings(page: Page, looked: readonly string[] = ['color-contrast', 'button-name']): Promise<string[]> {
  // evaluated as the debugger does, so the page's policy stays as strict as it is
  await page.evaluate(axeSource);
  const { violations, passes } = await page.evaluate(async () => {
    const { axe } = window as unknown as { readonly axe: { readonly run: () => Promise<{ readonly violations: readonly Violation[]; readonly passes: readonly Violation[] }> } };
    const result = await axe.run();
    return { violations: result.violations, passes: result.passes.map(({ id }) => id) };
  });
  for (const rule of looked) assert.ok(passes.includes(rule), `axe has looked at ${rule}`);
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`));
}
