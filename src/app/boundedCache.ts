/**
 * Least-recently-used map of texts to values, bounded by the number of entries and by the characters held in its keys.
 * Lookups are synchronous, which is what painting needs.
 */
export class BoundedCache<V> {
  private readonly entries = new Map<string, V>();
  private characters = 0;

  /**
   * @param maxEntries entries kept at most
   * @param maxCharacters UTF-16 units of all keys together; a single longer key is not kept at all
   */
  constructor(
    private readonly maxEntries: number,
    private readonly maxCharacters: number,
  ) {}

  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    // a Map keeps insertion order: the first key is the one not asked for longest
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.remove(key);
    if (key.length > this.maxCharacters) return;
    this.entries.set(key, value);
    this.characters += key.length;
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries && this.characters <= this.maxCharacters) break;
      this.remove(oldest);
    }
  }

  clear(): void {
    this.entries.clear();
    this.characters = 0;
  }

  get size(): number {
    return this.entries.size;
  }

  private remove(key: string): void {
    if (this.entries.delete(key)) this.characters -= key.length;
  }
}
