import { HumanError } from '../../src/core/errors';

/** What stands for a code where nothing failed. */
const accepted = 'accepted';

/** The code of the expected failure with which `run` ends, or `accepted`; anything else that it throws goes on. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return expectedCode(error);
  }
  return accepted;
}

/** As {@link codeOf}, of work under way. */
export async function codeOfWork(work: Promise<unknown>): Promise<string> {
  return await work.then(() => accepted, expectedCode);
}

function expectedCode(error: unknown): string {
  if (error instanceof HumanError) return error.code;
  throw error;
}

/** For `assert.throws` and `assert.rejects`: an expected failure with that code whose message has all these parts. */
export function humanError(code: string, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => error instanceof HumanError && error.code === code && parts.every((part) => error.message.includes(part));
}
