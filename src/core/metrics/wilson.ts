/** 97.5 % quantile of the standard normal distribution: two-sided 95 %. */
const standardNormal975 = 1.959963984540054;

/** A share of rows, and where the true share lies with 95 % confidence; each 0..1. */
export interface ShareInterval {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The score interval for a proportion: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 22, 1927). Unlike the textbook
 * interval it holds its 95 % for few rows and for shares near 0 and 1.
 *
 * @param successes in 0..rows
 * @param rows at least 1
 */
export function wilsonInterval(successes: number, rows: number): ShareInterval {
  if (!(rows >= 1 && successes >= 0 && successes <= rows)) throw new Error(`${successes} of ${rows} is no share.`);
  const share = successes / rows;
  const z = standardNormal975;
  const shrink = 1 + (z * z) / rows;
  const middle = (share + (z * z) / (2 * rows)) / shrink;
  const half = ((z / shrink) * Math.sqrt((share * (1 - share)) / rows + (z * z) / (4 * rows * rows)));
  // at the edges the formula gives them exactly, up to rounding
  return { share, low: successes === 0 ? 0 : Math.max(0, middle - half), high: successes === rows ? 1 : Math.min(1, middle + half) };
}
