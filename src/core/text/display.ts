/** `text` on one line and at most `length` characters long, with an ellipsis where it was cut. Does not cut a surrogate pair. */
export function excerpt(text: string, length: number): string {
  // a bounded look: the text may be a whole document
  const line = text.slice(0, length * 8).replace(/\s+/gu, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= length && text.length <= length * 8 ? line : `${characters.slice(0, length - 1).join('').trimEnd()}…`;
}

/** `text` as Markdown that shows it as it is, on one line: nothing in it becomes a link, an image, a tag or a table. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&:$@^=]/g, '\\$&').replace(/\s+/gu, ' ');
}
