// Prints what the Khronos glTF validator says of the GLB files named on the command line, as JSON.
import { readFile } from 'node:fs/promises';
import validator from 'gltf-validator';

const answers = [];
for (const path of process.argv.slice(2)) {
  const { issues, info } = await validator.validateBytes(new Uint8Array(await readFile(path)), { maxIssues: 20 });
  const { numErrors, numWarnings, numInfos, messages } = issues;
  answers.push({ numErrors, numWarnings, numInfos, messages, vertices: info.totalVertexCount ?? 0 });
}
console.log(JSON.stringify(answers));
