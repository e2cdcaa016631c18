import type { Settings } from './settings.ts';
import type { SettingsFault } from './settings-error.ts';

/** A wrong path of a certificate would otherwise show only at the first call, as a TLS error. */
export async function checkFiles(
  { backends, taps, configFile }: Pick<Settings, 'backends' | 'taps' | 'configFile'>,
  readFile: (path: string) => Promise<string | undefined>,
): Promise<SettingsFault[]> {
  const named = [
    ...backends.map((backend) => ({
      path: `backends.${backend.name}.ca_file`,
      file: backend.type === 'rehearsal' || backend.type === 'ai-sdk' ? null : backend.caFile,
    })),
    ...taps.map(({ name, upstreamCaFile }) => ({ path: `taps.${name}.upstream_ca_file`, file: upstreamCaFile })),
  ];
  const faults: SettingsFault[] = [];
  for (const { path, file } of named) {
    if (file === null) continue;
    const text = await readFile(file).catch(() => undefined);
    if (text?.includes('-----BEGIN CERTIFICATE-----') === true) continue;
    const message = `${file} ${text === undefined ? 'cannot be read' : 'holds no PEM certificate'}`;
    faults.push({ source: configFile ?? '', path, message });
  }
  return faults;
}
