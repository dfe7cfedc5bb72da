// `probe.mjs <entry>` prints what an entry exports, `probe.mjs <entry> <feature>` what a feature of it does:
// one of the functions that its file in probes/ exports. Plain JavaScript and the built packages, so that
// any runtime can run it.
const [specifier, feature] = process.argv.slice(2);

if (feature === undefined) {
  console.log(JSON.stringify(Object.keys(await import(specifier)).toSorted()));
} else {
  // @pyagent-trace/core/read has its features in probes/core.read.mjs
  const name = specifier.split('/').slice(1).join('.');
  const { features } = await import(new URL(`probes/${name}.mjs`, import.meta.url).href);
  const result = await features[feature]();
  if (result !== undefined) console.log(JSON.stringify(result));
}
