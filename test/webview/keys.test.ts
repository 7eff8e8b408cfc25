import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { isHeldDecision, keyAction, type KeyContext, type KeyPlace, type KeyPress } from '../../webview/keys';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, repeat: false, isComposing: false, ...more });
const labels = [
  { id: 'good', name: 'good', color: 0, key: '1' },
  { id: 'bad', name: 'bad', color: 1, key: '0' },
  { id: 'nice', name: 'nice', color: 2, key: 'n' },
  { id: 'rare', name: 'rare', color: 3 },
];
const context = (place: KeyPlace = 'page', kind: KeyContext['kind'] = 'single'): KeyContext => ({ place, kind, labels });
const labelled = (label: string) => ({ kind: 'label', label });

describe('keys of the panel', () => {
  it('decide by the labels’ keys, whether letters come large or small', () => {
    assert.deepStrictEqual(keyAction(press('1'), context()), labelled('good'));
    assert.deepStrictEqual(keyAction(press('0'), context()), labelled('bad'));
    assert.deepStrictEqual(keyAction(press('N', { shiftKey: true }), context()), labelled('nice'));
    assert.strictEqual(keyAction(press('7'), context()), undefined);
  });

  it('work where digits need Shift (AZERTY), on the number pad, and where letters are of another script', () => {
    assert.deepStrictEqual(keyAction(press('&', { code: 'Digit1' }), context()), labelled('good'));
    assert.deepStrictEqual(keyAction(press('à', { code: 'Digit0' }), context()), labelled('bad'));
    assert.deepStrictEqual(keyAction(press('1', { code: 'Numpad1' }), context()), labelled('good'));
    assert.deepStrictEqual(keyAction(press('т', { code: 'KeyN' }), context()), labelled('nice'));
    assert.deepStrictEqual(keyAction(press('а', { code: 'KeyF' }), context()), { kind: 'flag' });
    assert.deepStrictEqual(keyAction(press('я', { code: 'KeyZ', ctrlKey: true }), context()), { kind: 'undo' });
    assert.deepStrictEqual(keyAction(press('Process', { code: 'Digit1' }), context()), labelled('good'));
    assert.strictEqual(keyAction(press('!', { code: 'Digit1', shiftKey: true }), context()), undefined, 'Shift+1 on QWERTY is no digit');
  });

  it('take / and ? by their character, wherever it stands (German: Shift+7, Shift+ß)', () => {
    assert.deepStrictEqual(keyAction(press('/', { code: 'Digit7', shiftKey: true }), context()), { kind: 'search' });
    assert.deepStrictEqual(keyAction(press('?', { code: 'Minus', shiftKey: true }), context()), { kind: 'help' });
  });

  it('undo and redo with Ctrl or Cmd', () => {
    for (const key of [{ ctrlKey: true }, { metaKey: true }]) {
      assert.deepStrictEqual(keyAction(press('z', key), context()), { kind: 'undo' });
      assert.deepStrictEqual(keyAction(press('Z', { ...key, shiftKey: true }), context()), { kind: 'redo' });
      assert.deepStrictEqual(keyAction(press('y', key), context()), { kind: 'redo' });
      assert.strictEqual(keyAction(press('1', key), context()), undefined);
    }
  });

  it('leave Enter, Space and arrows to buttons and lists, and decide there all the same', () => {
    for (const key of ['Enter', ' ', 'ArrowLeft', 'ArrowRight']) {
      assert.strictEqual(keyAction(press(key), context('control')), undefined);
      assert.notStrictEqual(keyAction(press(key), context()), undefined);
    }
    assert.strictEqual(keyAction(press('Enter'), context('button')), undefined);
    assert.deepStrictEqual(keyAction(press('ArrowLeft'), context('button')), { kind: 'step', step: -1 });
    assert.deepStrictEqual(keyAction(press('1'), context('control')), labelled('good'));
  });

  it('type a number in a task that asks for one', () => {
    for (const key of ['1', '9', '.', ',', '-', 'Backspace']) assert.deepStrictEqual(keyAction(press(key), context('page', 'number')), { kind: 'type', character: key });
    assert.deepStrictEqual(keyAction(press('&', { code: 'Digit1' }), context('number', 'number')), { kind: 'type', character: '1' });
    assert.deepStrictEqual(keyAction(press('Enter'), context('number', 'number')), { kind: 'accept' });
    assert.strictEqual(keyAction(press('ArrowLeft'), context('number', 'number')), undefined);
  });

  it('decide once when they are held, and step on as long as they are held', () => {
    assert.strictEqual(keyAction(press('1', { repeat: true }), context()), undefined);
    assert.ok(isHeldDecision(press('1', { repeat: true }), context()));
    assert.deepStrictEqual(keyAction(press('ArrowLeft', { repeat: true }), context()), { kind: 'step', step: -1 });
  });

  it('do nothing but Escape in a text field, whatever is pressed', () => {
    fc.assert(
      fc.property(fc.record({ key: fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), fc.constantFrom('Enter', 'ArrowLeft', 'Backspace', ' ')), code: fc.constantFrom('', 'Digit1', 'KeyZ', 'KeyF'), ctrlKey: fc.boolean(), metaKey: fc.boolean(), shiftKey: fc.boolean(), altKey: fc.boolean(), repeat: fc.boolean(), isComposing: fc.boolean() }), (any) => {
        assert.strictEqual(keyAction(any, context('text')), undefined);
      }),
    );
    assert.deepStrictEqual(keyAction(press('Escape'), context('text')), { kind: 'home' });
  });
});
