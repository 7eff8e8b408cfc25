/**
 * Whether bytes are the same as before: 64 bits, two multiplicative hashes side by side (FNV-1a with different primes). Fast, and no protection against forgery.
 * It depends on the bytes alone, not on how they are cut.
 */
export class ContentHash {
  private a = 0x811c9dc5;
  private b = 0x9e3779b9;
  private length = 0;

  add(bytes: Uint8Array): void {
    let { a, b } = this;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x85ebca6b);
    }
    this.a = a;
    this.b = b;
    this.length += bytes.length;
  }

  /** Adds a name, so that files that change places are told apart. */
  addName(name: string): void {
    this.add(new TextEncoder().encode(`\0${name}\0`));
  }

  get value(): string {
    return `${this.length}:${(this.a >>> 0).toString(16)}${(this.b >>> 0).toString(16)}`;
  }
}
