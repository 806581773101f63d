// The folders of a log dir: which are partitions, which are on their way out, which are not ours. Makes, identifies,
// renames and removes them; every step that a crash may interrupt leaves a folder that the next start knows what to do with.
//
//   <topic>-<partition>                     a partition, whose `partition.metadata` says which topic it belongs to
//   <topic>-<partition>.<id>-delete         dropped: removed in the background, or by the next start
//   <topic>-<partition>.<id>-stray          set aside: the metadata does not know it; nobody but a person touches it again
//   <topic>-<partition>.<id>-future         left by Kafka, which was moving it here from another log dir; as if it were not there
import { join } from 'node:path';
import type { Env } from '../base/env.ts';
import { readFileIfThere } from '../base/files.ts';
import type { Logger } from '../base/log.ts';
import type { Descriptors } from './descriptors.ts';
import { DamagedFileError } from './damaged-file.ts';
import { markedDirectoryName, parseOffsetFileName, parsePartitionDirectoryName, type DirectoryMark } from './log/log-names.ts';
import { decodePartitionMetadata, encodePartitionMetadata, PARTITION_METADATA_FILE } from './log/partition-metadata.ts';
import type { OpenFiles } from './open-files.ts';

/** Folders that belong in a log dir, or on a file system, and are no partitions. */
const KNOWN_FOLDERS: ReadonlySet<string> = new Set(['lost+found', 'remote-log-index-cache']);
const isKnownFolder = (name: string): boolean => KNOWN_FOLDERS.has(name) || name.startsWith('.bucketrider-lock');

export class PartitionFolders {
  readonly #env: Env;
  readonly #log: Logger;
  readonly #directory: string;
  readonly #names = new Set<string>();
  /** Paths of dropped ones that are still there. */
  #dropped: string[] = [];
  #removing: Promise<void> = Promise.resolve();
  #stopped = false;

  private constructor(options: { env: Env; log: Logger; directory: string }) {
    this.#env = options.env;
    this.#log = options.log;
    this.#directory = options.directory;
  }

  /** Looks at what is there; renames and removes nothing. */
  static async open(options: { env: Env; log: Logger; directory: string }): Promise<PartitionFolders> {
    const folders = new PartitionFolders(options);
    const { env, log, directory } = options;
    for (const { name, isDirectory } of await env.files.readDirectory(directory)) {
      if (!isDirectory) continue;
      const parsed = parsePartitionDirectoryName(name);
      const path = join(directory, name);
      if (parsed === undefined) {
        if (!isKnownFolder(name)) log.warn('a folder in the log dir is not named like a partition, and is left alone', { path });
      } else if (parsed.mark === 'delete') folders.#dropped.push(path);
      else if (parsed.mark === 'stray') log.warn('a partition that was set aside is still there: remove it when nobody needs it', { path });
      else if (parsed.mark === 'future') log.warn('a copy of a partition that Kafka was moving here is left alone', { path });
      else folders.#names.add(name);
    }
    return folders;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  get names(): string[] {
    return [...this.#names];
  }

  pathOf(name: string): string {
    return join(this.#directory, name);
  }

  /** Makes a partition's folder and says in it whose it is; returns what has to be synced of that. May be repeated. */
  async make(name: string, topicId: string, openFiles: OpenFiles): Promise<{ files: string[]; directories: string[] }> {
    const path = this.pathOf(name);
    const metadata = join(path, PARTITION_METADATA_FILE);
    await this.#env.files.makeDirectory(path);
    openFiles.forget(metadata); // one of an earlier partition of that name, which is gone
    // Many partitions may be made at once, and descriptors be few.
    await openFiles.create(metadata, async (file) => {
      const bytes = encodePartitionMetadata(topicId);
      await file.write([bytes], 0);
      await file.truncate(bytes.length); // of an attempt that a crash or a full disk interrupted
    });
    openFiles.forget(metadata);
    this.#names.add(name);
    return { files: [metadata], directories: [path, this.#directory] };
  }

  /** Whose folder it is: that topic's, another's; or why it does not say. */
  async identify(name: string, topicId: string): Promise<'same' | 'other' | DamagedFileError> {
    const path = join(this.pathOf(name), PARTITION_METADATA_FILE);
    const bytes = await readFileIfThere(this.#env.files, path);
    if (bytes === undefined) {
      const whatToDo = `restore it, or write it ("version: 0", then "topic_id: ${topicId}") if the records are those of this topic`;
      return new DamagedFileError(path, 'it is missing', whatToDo);
    }
    try {
      return decodePartitionMetadata(bytes, path).topicId === topicId ? 'same' : 'other';
    } catch (thrown) {
      if (thrown instanceof DamagedFileError) return thrown;
      throw thrown;
    }
  }

  async holdsRecords(name: string): Promise<boolean> {
    const path = this.pathOf(name);
    for (const file of await this.#env.files.readDirectory(path)) {
      if (parseOffsetFileName(file.name)?.suffix !== '.log') continue;
      if (((await this.#env.files.stat(join(path, file.name)))?.bytes ?? 0) > 0) return true;
    }
    return false;
  }

  /** Drops partitions: when it resolves no crash brings them back; the bytes are removed in the background. */
  async drop(names: readonly string[], descriptors: Pick<Descriptors, 'within'>): Promise<void> {
    const dropped = await this.#rename(names, 'delete', descriptors);
    this.#dropped.push(...dropped);
    this.removeDropped();
  }

  /** Sets a partition aside that the metadata does not know. */
  async setAside(name: string, why: string, descriptors: Pick<Descriptors, 'within'>): Promise<void> {
    const [path = ''] = await this.#rename([name], 'stray', descriptors);
    this.#log.warn('a partition was set aside: remove it when nobody needs it', { partition: name, path, why });
  }

  /** Removes a folder that holds no promised record. */
  async removeUnfinished(name: string): Promise<void> {
    await this.#env.files.remove(this.pathOf(name));
    this.#names.delete(name);
    await this.#env.files.syncDirectory(this.#directory);
  }

  /** Gives back the room of what was dropped; one folder at a time, in the background. */
  removeDropped(): void {
    const paths = this.#dropped;
    this.#dropped = [];
    this.#removing = this.#removing.then(async () => {
      for (const path of paths) {
        if (this.#stopped) return; // the next start goes on
        await this.#env.files
          .remove(path)
          .catch((error: unknown) =>
            this.#log.warn('a dropped partition could not be removed; the next start tries again', { path, error }),
          );
      }
    });
  }

  /** Resolves when nothing is being removed any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#removing;
  }

  async #rename(names: readonly string[], mark: DirectoryMark, descriptors: Pick<Descriptors, 'within'>): Promise<string[]> {
    const renamed: string[] = [];
    for (const name of names) {
      if (!this.#names.has(name)) continue;
      const { topic = '', partition = 0 } = parsePartitionDirectoryName(name) ?? {};
      const uniqueId = Buffer.from(this.#env.randomBytes(16)).toString('hex');
      const path = join(this.#directory, markedDirectoryName(topic, partition, uniqueId, mark));
      await this.#env.files.rename(this.pathOf(name), path);
      this.#names.delete(name);
      renamed.push(path);
    }
    if (renamed.length > 0) await descriptors.within(() => this.#env.files.syncDirectory(this.#directory));
    return renamed;
  }
}
