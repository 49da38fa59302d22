// Encrypted key files of ethers: `make FILE PASSWORD_FILE SECRET` writes one, `open FILE
// PASSWORD_FILE` prints the secret of one.

import { readFileSync, writeFileSync } from "node:fs";
import { computeAddress, decryptKeystoreJsonSync, encryptKeystoreJsonSync } from "ethers";

const [what, file, passwordFile, secret] = process.argv.slice(2);
const password = readFileSync(passwordFile, "utf8").trim();

if (what === "make") {
  const account = { address: computeAddress(secret), privateKey: secret };
  // A sixteenth of the usual work, which is not what is tested.
  const json = encryptKeystoreJsonSync(account, password, { scrypt: { N: 1 << 14 } });
  writeFileSync(file, json, { mode: 0o600 });
} else {
  const { privateKey } = decryptKeystoreJsonSync(readFileSync(file, "utf8"), password);
  console.log(privateKey);
}
