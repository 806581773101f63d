// The form all coordinators share: a record's key says what it is about, its value what is now true of it.
import type { Message } from '../schema.ts';

/** The key begins with the record type as int16, the value with its version as int16; an absent value is a tombstone. */
export interface CoordinatorTables {
  readonly key: Message;
  readonly value: Message;
}
