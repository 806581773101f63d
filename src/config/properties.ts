// Java's .properties syntax (java.util.Properties), since that is what a server.properties is written in: comments with # or !,
// lines that go on after a backslash, = or : or a blank between key and value, escapes. Text in, entries out.
// One difference: the file is read as UTF-8, where Java's old reader takes Latin-1; \uXXXX works in both.

import { ConfigError } from './config-value.ts';

export interface Property {
  readonly key: string;
  readonly value: string;
  /** Where the entry begins, from 1. */
  readonly line: number;
}

/**
 * The entries in the order of the text; a key may come twice, and then the last one counts.
 * @throws ConfigError for a broken \u escape, with the line
 */
export function parseProperties(text: string): Property[] {
  const properties: Property[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    let logical = trimStart(lines[index] ?? '');
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue;
    while (endsInBackslash(logical)) {
      logical = logical.slice(0, -1);
      index += 1;
      if (index >= lines.length) break;
      logical += trimStart(lines[index] ?? '');
    }
    properties.push({ ...split(logical, line), line });
  }
  return properties;
}

const trimStart = (line: string): string => line.replace(/^[ \t\f]+/, '');

/** An even number of them are escaped backslashes. */
function endsInBackslash(line: string): boolean {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

function split(logical: string, line: number): { key: string; value: string } {
  let end = 0;
  while (end < logical.length && !/[=: \t\f]/.test(logical[end] ?? '')) end += logical[end] === '\\' ? 2 : 1;
  const rest = logical.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return { key: unescape(logical.slice(0, end), line), value: unescape(rest, line) };
}

function unescape(text: string, line: number): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([^])|$)/g, (_, code: string | undefined, character: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    switch (character) {
      case undefined:
        return '';
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'u':
        throw new ConfigError(`line ${line}: \\u is not followed by four hexadecimal digits`);
      default:
        return character;
    }
  });
}
