import * as assert from 'node:assert';
import { decisionsOf, isFromDecisions, originOf } from '../../../../src/app/labeling/fineTuning';
import { bestVersion, TaskModels } from '../../../../src/app/taskModels';
import { formatManifest, parseManifest } from '../../../../src/core/model/manifest';
import type { BundleFiles } from '../../../../src/core/protocol/predictor';
import { wordBundle } from '../../../fixtures/wordModel';
import { MemoryFileSystem } from '../memoryFileSystem';

function bundle(version: string, accuracy: number, source: string): BundleFiles {
  const files = wordBundle({ name: 'reviews', version, good: ['good'], bad: ['bad'] });
  return { ...files, manifest: formatManifest({ ...parseManifest(files.manifest, 'model.json'), data: { source, decisions: 40 }, metrics: { rows: 20, accuracy } }) };
}

describe('versions that came of decisions', () => {
  it('go when there are too many, but never the best, the one in use, or one that came from elsewhere', async () => {
    const models = new TaskModels(new MemoryFileSystem(), '/files', 'reviews');
    const accuracies = [0.5, 0.95, 0.6, 0.6, 0.7, 0.7, 0.8, 0.8, 0.8, 0.8];
    for (const [index, accuracy] of accuracies.entries()) await models.add(bundle(`v${index + 1}`, accuracy, index === 0 ? 'table.csv' : 'decisions'));
    assert.deepStrictEqual([bestVersion(await models.versions()), await models.current()], ['v2', 'v10']);
    await models.choose('v3');
    await models.prune(isFromDecisions, 5);
    assert.deepStrictEqual((await models.versions()).map(({ version }) => version), ['v1', 'v2', 'v3', 'v6', 'v7', 'v8', 'v9', 'v10']);
    assert.strictEqual(await models.current(), 'v3');
    assert.deepStrictEqual((await models.versions()).slice(0, 2).map(({ manifest }) => decisionsOf(manifest)), [undefined, 40]);
  });

  it('go back to what no decision made, through all of their forebears', () => {
    const version = (name: string, source: string, parent?: string): Parameters<typeof originOf>[2][number] => ({ version: name, manifest: { data: { source }, ...(parent === undefined ? {} : { parent }) } });
    const versions = [version('v1', 'table.csv', 'sentiment@v2'), version('v2', 'decisions', 'reviews@v1'), version('v3', 'decisions', 'reviews@v2'), version('v4', 'decisions', 'sentiment@v2'), version('v6', 'decisions', 'reviews@v5')];
    const loop = [version('v1', 'decisions', 'reviews@v2'), version('v2', 'decisions', 'reviews@v1')];
    assert.deepStrictEqual(['v1', 'v2', 'v3', 'v4', 'v6', 'v9'].map((each) => originOf(each, 'reviews', versions)), ['v1', 'v1', 'v1', undefined, undefined, undefined]);
    assert.strictEqual(originOf('v1', 'reviews', loop), undefined);
  });
});
