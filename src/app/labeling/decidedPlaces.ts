import type { Decision, DecisionSource } from '../../core/labels/decision';
import { isSamePlace } from '../../core/labels/edited';

/** Where texts stood when they were decided on. */
export class DecidedPlaces {
  private readonly rows = new Map<string, Decision>();
  private readonly ranges = new Map<string, Map<string, Decision>>();

  add(decision: Decision): void {
    const { source } = decision;
    if (!source) return;
    if (source.row !== undefined) {
      this.rows.set(rowKey(source.file, source.row), decision);
      return;
    }
    let file = this.ranges.get(source.file);
    if (!file) this.ranges.set(source.file, (file = new Map<string, Decision>()));
    // to the end, where the latest are
    file.delete(decision.example);
    file.set(decision.example, decision);
  }

  /** Decisions about texts that stood at this place, the latest first. */
  at(place: DecisionSource): readonly Decision[] {
    if (place.row !== undefined) {
      const decision = this.rows.get(rowKey(place.file, place.row));
      return decision ? [decision] : [];
    }
    return [...(this.ranges.get(place.file)?.values() ?? [])].filter(({ source }) => source && isSamePlace(source, place)).reverse();
  }
}

function rowKey(file: string, row: number): string {
  return `${row} ${file}`;
}
