// What the page says, in English and in Traditional Chinese.

export const WORDS = {
  title: ['Notarise a document', '文件存證'],
  intro: [
    'State that you have a document now, and prove it later to anybody. The document stays on this device; only its digest, a number of 32 bytes, is sent.',
    '為您現在持有的文件存證，日後可向任何人證明。文件留在您的裝置上；只會送出它的摘要（32 位元組的數值）。',
  ],
  attestTitle: ['Attest', '存證'],
  dropDocument: ['Drop a document here', '將文件拖放到這裡'],
  choose: ['Choose a file', '選擇檔案'],
  chooseMany: ['Choose files', '選擇檔案（可多選）'],
  document: ['Document', '文件'],
  digest: ['SHA-256 digest', 'SHA-256 摘要'],
  unreadable: [
    'The file cannot be read any more: it was changed or moved. Choose it again.',
    '檔案已無法讀取：它已被更動或移動。請重新選擇。',
  ],
  reading: ['reading…', '讀取中…'],
  salt: ['With a salt', '加上鹽值'],
  saltWhy: [
    'for a document that somebody could guess, such as a form. You then keep a second, small file.',
    '適用於內容容易被猜出的文件，例如表單。您須另外保存一個小檔案。',
  ],
  attest: ['Attest with wallet', '以錢包存證'],
  noWallet: [
    'This browser has no wallet. Install one (EIP-1193), then load the page again.',
    '此瀏覽器沒有錢包。請安裝（EIP-1193）後重新載入本頁。',
  ],
  signing: ['Confirm in your wallet. It costs nothing.', '請在錢包中確認。不收費用。'],
  failed: ['That did not work: ', '未能完成：'],
  rejected: ['you declined in the wallet; nothing was sent.', '您在錢包中拒絕了；未送出任何內容。'],
  keep: [
    'Keep the document unchanged, with its proof, and with the salt if there is one. Nobody else has them.',
    '請保存未經更動的文件與證明；若有鹽值檔，也請一併保存。別人都沒有這些檔案。',
  ],
  downloadProof: ['Download the proof', '下載證明'],
  downloadSalt: ['Download the salt', '下載鹽值檔'],
  verifyTitle: ['Verify', '驗證'],
  verifyHow: [
    'Everything is verified on this device, without a network.',
    '一切都在您的裝置上驗證，不需網路。',
  ],
  dropProof: ['Drop the document and its proof here', '將文件與證明一起拖放到這裡'],
  dropProofHow: [
    'Proofs end with .tbsi.json or .tbsi; salts with .tbsi.salt.',
    '證明檔名以 .tbsi.json 或 .tbsi 結尾，鹽值檔以 .tbsi.salt 結尾。',
  ],
  needsProof: ['the proof is still missing', '還缺少證明'],
  colon: [': ', '：'],
  asProof: ['proof', '證明'],
  asSalt: ['salt', '鹽值檔'],
  asDocument: ['document', '文件'],
  ask: ['Ask the network whether it was revoked', '向網路查詢是否已撤銷'],
  footer: [
    'A proof is signed by validators under their legal names. It shows when the digest was attested and by which account, and not that the content is true.',
    '證明由驗證者以法定名稱簽署。它顯示摘要於何時、由哪個帳戶存證，不代表內容屬實。',
  ],
}
