/** Where an event of a channel is: its id in Redis is `EPOCH-NUMBER`, its cursor `TAG-EPOCH-NUMBER`. */
export interface Place {
  readonly epoch: string;
  readonly number: number;
}

/** The place that an id names; null when it is none. */
export function placeOf(id: string): Place | null {
  const [, epoch, number] = /^(\d{1,16})-(\d{1,15})$/.exec(id) ?? [];
  return epoch === undefined ? null : { epoch, number: Number(number) };
}

/** The id of a place. */
export function idOf({ epoch, number }: Place): string {
  return `${epoch}-${number}`;
}

/** Whether `a` is before `b`. */
export function isBefore(a: Place, b: Place): boolean {
  const order = Number(a.epoch) - Number(b.epoch);
  return order < 0 || order === 0 && a.number < b.number;
}
