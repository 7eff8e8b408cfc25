/**
 * An expected failure, worded for a person: what went wrong, where, and what to do about it.
 *
 * Anything else that is thrown is a defect of ours and goes to the log, not to the person.
 */
export class HumanError extends Error {
  override readonly name = 'HumanError';

  /**
   * @param code stable identifier, such as `csv.quote` or `bundle.hash`; tests and translations key on it
   * @param message one or two whole English sentences that end with the remedy; `{0}`, `{1}` … are filled from `args`
   * @param args values for the placeholders, in order (file, row, column …)
   */
  constructor(
    readonly code: string,
    readonly template: string,
    readonly args: readonly (string | number)[] = [],
    options?: ErrorOptions,
  ) {
    super(fillTemplate(template, args), options);
  }
}

/** Replaces `{0}`, `{1}` … in `template` with `args`; unknown placeholders stay as they are. */
export function fillTemplate(template: string, args: readonly (string | number)[]): string {
  return template.replace(/\{(\d+)\}/g, (whole, index: string) => {
    const value = args[Number(index)];
    return value === undefined ? whole : String(value);
  });
}

/** Thrown by work that was cancelled on request. Never shown to a person. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  constructor() {
    super('Cancelled');
  }
}
