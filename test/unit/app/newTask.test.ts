import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { annotatorName, gitUserName, LONGEST_ANNOTATOR, problemOfAnnotator } from '../../../src/app/labeling/annotator';
import { byFrequency, labelColumnsOf, parseLabels, parseRange, sourcePath, uniqueName } from '../../../src/app/labeling/newTask';

describe('what a new task is proposed', () => {
  const names = ['id', 'review', 'stars', 'mood'];
  const rows = Array.from({ length: 40 }, (_, row) => [String(row), `Text number ${row} about something`, String((row % 5) + 1), row % 3 === 0 ? 'sad' : row % 3 === 1 ? 'glad' : '']);

  it('labels from the columns whose values come again, the likeliest first, with their range if they are numbers', () => {
    const columns = labelColumnsOf(names, rows, ['review']);
    assert.deepStrictEqual(columns.map(({ name }) => name).sort(), ['mood', 'stars']);
    const [mood, stars] = ['mood', 'stars'].map((name) => columns.find((column) => column.name === name));
    assert.deepStrictEqual([mood?.labels, mood?.range], [['sad', 'glad'], undefined]);
    assert.deepStrictEqual(stars?.range, { minimum: 1, maximum: 5 });
    assert.deepStrictEqual(labelColumnsOf(names, rows, ['review', 'stars', 'mood']), []);
  });

  it('values by how often they come', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd')), (values) => {
        const count = (value: string): number => values.filter((each) => each === value).length;
        const found = byFrequency(values);
        assert.deepStrictEqual([...found].sort(), [...new Set(values)].sort());
        for (let at = 1; at < found.length; at++) assert.ok(count(found[at - 1]!) >= count(found[at]!));
      }),
    );
  });

  it('labels as typed, each once, however they are separated', () => {
    assert.deepStrictEqual(parseLabels(' spam, not  spam ;spam、正常，'), ['spam', 'not spam', '正常']);
    assert.deepStrictEqual(parseLabels(' , '), []);
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const labels = parseLabels(text);
        assert.ok(labels.every((label) => label !== '' && label.length <= 120 && !/[,;\n]/.test(label)));
        assert.deepStrictEqual(parseLabels(labels.join(', ')), [...new Set(labels)]);
      }),
    );
  });

  it('ranges as typed', () => {
    for (const text of ['1-5', '1 - 5', '1..5', '1 to 5', '1 至 5', ' 1, 5 ']) assert.deepStrictEqual(parseRange(text), { minimum: 1, maximum: 5 }, text);
    assert.deepStrictEqual(parseRange('-1.5 to -0.5'), { minimum: -1.5, maximum: -0.5 });
    for (const text of ['', '5', '5 - 1', '5-5', 'one to five', '1 - 5 - 7']) assert.strictEqual(parseRange(text), undefined, text);
  });

  it('a name that no other task has', () => {
    fc.assert(
      fc.property(fc.constantFrom('reviews', 'Reviews', 'mails'), fc.array(fc.constantFrom('reviews', 'REVIEWS-2', 'reviews-3', 'mails')), (name, taken) => {
        const unique = uniqueName(name, taken);
        assert.ok(!taken.some((other) => other.toLowerCase() === unique.toLowerCase()));
        assert.ok(unique.startsWith(name));
      }),
    );
  });

  it('paths within the task’s folder, as joining them shows', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'c d', '数据'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(path, path, (folder, inside) => {
        assert.strictEqual(sourcePath(`/${folder}`, `/${folder}/${inside}`), inside);
        assert.throws(() => sourcePath(`/${folder}/x`, `/${folder}/${inside}`), RangeError);
      }),
    );
    assert.strictEqual(sourcePath('c:\\Work\\reviews', 'C:\\Work\\reviews\\data\\a.csv'), 'data/a.csv');
    assert.strictEqual(sourcePath('/files/reviews', '/files/reviews/'), '.');
    assert.strictEqual(sourcePath('/', '/a.csv'), 'a.csv');
  });
});

describe('whose decisions are taken', () => {
  const config = '[core]\n\tbare = false\n\tname = wrong\n[user]\n\temail = mei@example.org\n\tname = "Mei \\"M\\" Chen" ; her\n[branch "main"]\n\tname = other\n';

  it('the person’s own word counts, then git’s, then the system’s', () => {
    const environment = { USER: 'root' };
    assert.strictEqual(annotatorName({ setting: 'ann', gitConfig: config, environment }), 'ann');
    assert.strictEqual(annotatorName({ setting: '', gitConfig: config, environment }), 'Mei -M- Chen');
    assert.strictEqual(annotatorName({ setting: '', gitConfig: '[user]\n', environment }), 'root');
    assert.strictEqual(annotatorName({ setting: ' ', gitConfig: undefined, environment: {} }), 'me');
    assert.strictEqual(annotatorName({ setting: '', gitConfig: undefined, environment: { USERNAME: '王梅' } }), '王梅');
  });

  it('git’s word is read as git reads it', () => {
    assert.strictEqual(gitUserName('[user]\nname = A B # comment\n'), 'A B');
    assert.strictEqual(gitUserName('[USER]\r\n  Name=Zoë\r\n[user]\r\nname = Last\r\n'), 'Last');
    assert.strictEqual(gitUserName('[user "x"]\nname = sub\n'), '');
  });

  it('whatever the sources say, the name is one that a file can have', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.string({ maxLength: 40 }), (setting, user) => {
        const name = annotatorName({ setting, gitConfig: `[user]\nname = ${user}`, environment: { USER: user } });
        assert.ok(!problemOfAnnotator(name), name);
        assert.ok(name.length <= LONGEST_ANNOTATOR && !/[/\\:*?"<>|\0]/.test(name) && !name.startsWith('.'));
      }),
    );
  });
});
