import type { ReportDocument } from '../core/report/document';
import { reportHtml } from '../core/report/html';
import { reportMarkdown } from '../core/report/markdown';
import type { FlagSpec } from './arguments';
import type { CliContext } from './context';

/** The flag of the commands that write a report. */
export const reportFlag: FlagSpec = { value: 'FILE', help: 'write a report with charts: HTML for a name that ends in .html, Markdown for .md, else both' };

/**
 * Writes a report to `file`: one HTML file or Markdown by its ending, else both with their endings.
 *
 * @returns the files that were written
 * @throws HumanError when a file cannot be written
 */
export async function writeReport({ openOutput }: Pick<CliContext, 'openOutput'>, file: string, document: ReportDocument): Promise<readonly string[]> {
  const files: readonly (readonly [string, string])[] = /\.html?$/i.test(file)
    ? [[file, reportHtml(document)]]
    : /\.(?:md|markdown)$/i.test(file)
      ? [[file, reportMarkdown(document)]]
      : [
          [`${file}.html`, reportHtml(document)],
          [`${file}.md`, reportMarkdown(document)],
        ];
  for (const [name, content] of files) {
    const output = await openOutput(name);
    try {
      await output.write(new TextEncoder().encode(content));
      await output.commit();
    } finally {
      await output.discard();
    }
  }
  return files.map(([name]) => name);
}
