/** Share of the texts that are checks, and of the queue's places that they get. */
export const checkShare = 0.15;

/**
 * Whether a text is one of the random checks: texts that are offered at random times and whose decisions measure the model (the holdout), which never learns from them while it is measured.
 *
 * It depends on the id alone, so it is the same for every annotator, in every window, after every restart, and for every order in which texts come in.
 *
 * @param exampleId 32 hexadecimal digits of a hash; the last eight decide, which leaves the first ones to whoever shuffles by them
 * @param share of all texts, 0..1
 */
export function isCheck(exampleId: string, share = checkShare): boolean {
  return Number.parseInt(exampleId.slice(-8), 16) < share * 2 ** 32;
}
