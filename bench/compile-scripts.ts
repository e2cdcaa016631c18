import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const sources = import.meta.dirname;
// Below node_modules, so that the compiled scripts find their packages and no tool of ours looks at them.
const output = join(sources, '../node_modules/.cache/antiphon-bench');
const compilerOptions = {
  module: ModuleKind.ESNext,
  target: ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/**
 * Every script of the bench as plain JavaScript, so that the measured processes run without a loader: tsx would add tens of MiB and a thread to each of them.
 * Returns the path of a compiled script.
 */
export function compileScripts(): (source: URL) => string {
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'package.json'), '{ "type": "module" }\n');
  const names = readdirSync(sources).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of names) {
    const { outputText } = transpileModule(readFileSync(join(sources, name), 'utf8'), { compilerOptions, fileName: name });
    writeFileSync(join(output, name.replace(/\.ts$/, '.js')), outputText);
  }
  return (source) => join(output, source.pathname.replace(/^.*\/(.*)\.ts$/, '$1.js'));
}
