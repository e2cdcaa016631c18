// The import table of the rooms (AGENTS.md). A room may import itself and what is listed, nothing else of src/.
const rooms = {
  lib: [],
  protocol: [],
  model: ['lib', 'protocol'],
  translate: ['lib', 'protocol', 'model'],
  engine: ['lib', 'protocol', 'model'],
  store: ['lib', 'protocol', 'model'],
  tap: ['lib', 'protocol', 'model', 'translate', 'backends/upstream'],
  server: ['lib', 'protocol', 'model', 'translate', 'engine'],
  config: ['lib', 'model'],
  cli: ['config', 'run-taps.ts', 'describe-taps.ts', 'start-up-lines.ts', 'gateway.ts'],
};
const notTest = '\\.test\\.ts$';
/** A room, or one file beside the rooms. */
const pathOf = (name) => (name.endsWith('.ts') ? `^src/${name.replace('.', '\\.')}$` : `^src/${name}/`);
const room = ([name, allowed]) => ({
  name: `${name}-may-import`,
  comment: `${name} may import only: ${allowed.join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${name}/`, pathNot: notTest },
  to: { path: '^src/', pathNot: [name, ...allowed].map(pathOf) },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: [notTest, '^src/main\\.ts$'] }, to: {} },
    ...Object.entries(rooms).map(room),
    {
      name: 'a-backend-knows-no-other-backend',
      comment:
        'backends/x may import itself, backends/upstream (the HTTP door to model servers), lib, protocol, model, translate',
      severity: 'error',
      from: { path: '^src/backends/([^/]+)/', pathNot: notTest },
      to: { path: '^src/', pathNot: ['^src/backends/$1/', '^src/backends/upstream/', '^src/(lib|protocol|model|translate)/'] },
    },
    {
      name: 'no-node-in-pure-rooms',
      comment:
        'lib, protocol, model, translate and engine do no I/O: clock, ids and bytes are arguments. node:crypto computes only; the envelope needs it.',
      severity: 'error',
      from: { path: '^src/(protocol|model|translate|engine|lib)/', pathNot: [notTest, '^src/engine/reasoning-envelope\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: notTest },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' } },
};
