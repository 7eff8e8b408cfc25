import * as assert from 'node:assert';
import { isCheck } from '../../../src/core/labels/checks';
import { exampleId } from '../../../src/core/text/normalize';

describe('random checks', () => {
  const ids = Array.from({ length: 20_000 }, (_, index) => exampleId(`text ${index}`));

  it('are the share of all texts that was asked for, within what chance allows', () => {
    for (const share of [0, 0.1, 0.15, 0.5, 1]) {
      const found = ids.filter((id) => isCheck(id, share)).length;
      // five standard deviations; the texts are always the same
      assert.ok(Math.abs(found - share * ids.length) <= 5 * Math.sqrt(ids.length * share * (1 - share)), `${found} for ${share}`);
    }
    assert.deepStrictEqual(ids.filter((id) => isCheck(id)), ids.filter((id) => isCheck(id, 0.15)));
  });

  it('stay checks when the share grows', () => assert.ok(ids.filter((id) => isCheck(id, 0.1)).every((id) => isCheck(id, 0.2))));

  it('do not come first where texts are shuffled by the beginning of their ids', () => {
    const first = [...ids].sort().slice(0, 5000).filter((id) => isCheck(id)).length;
    assert.ok(Math.abs(first - 750) <= 5 * Math.sqrt(5000 * 0.15 * 0.85), `${first}`);
  });
});
