// Applies updates to a file with Renovate's own function. Standard input: {modules, directory, packageFile, upgrades},
// standard output: the edited file.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const { modules, directory, packageFile, upgrades } = JSON.parse(readFileSync(0, "utf8"));
const renovate = join(modules, "renovate/dist");
const { GlobalConfig } = await import(join(renovate, "config/global.js"));
const { doAutoReplace } = await import(join(renovate, "workers/repository/update/branch/auto-replace.js"));

GlobalConfig.set({ localDir: directory });
let content = readFileSync(join(directory, packageFile), "utf8");
for (const upgrade of upgrades) {
  content = await doAutoReplace(upgrade, content, false);
}
process.stdout.write(content);
