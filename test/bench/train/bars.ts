/** What the benchmark is to show, one line each, and what it showed. */
export class Bars {
  private readonly lines: string[] = [];

  /** @param unit follows the figures @param remark e.g. under what conditions it was measured */
  atLeast(bar: number, what: string, figure: number, unit = '×', remark = ''): void {
    this.add(figure >= bar, `≥ ${bar}${unit}`, what, figure, unit, remark);
  }

  atMost(bar: number, what: string, figure: number, unit = '×', remark = ''): void {
    this.add(figure <= bar, `≤ ${bar}${unit}`, what, figure, unit, remark);
  }

  /** A figure that cannot tell, and why. */
  open(what: string, why: string): void {
    this.lines.push(`  open    ${what}: ${why}`);
  }

  print(): void {
    console.log('\nBars, as far as this run measured them (speeds by CPU time unless it says "by the clock")');
    this.lines.forEach((line) => console.log(line));
  }

  private add(holds: boolean, bar: string, what: string, figure: number, unit: string, remark: string): void {
    const digits = unit === '×' || unit === ' s' ? 2 : 0;
    this.lines.push(`  ${holds ? 'holds ' : 'MISSES'}  ${what}: ${figure.toFixed(digits)}${unit}, bar ${bar}${remark && `; ${remark}`}`);
  }
}
