package tbsi

// Named maxima, with their units (SPEC §3.2, §9.3, §10).
const (
	// BundleBytesMax bounds a proof in compact form.
	BundleBytesMax = 8 * 1024 * 1024
	// BundleJSONBytesMax bounds a proof in JSON form.
	BundleJSONBytesMax = 32 * 1024 * 1024
	// HandoversMax bounds the changes of the validator set that one bundle follows.
	HandoversMax = 256
	// HandoverRecordBytesMax bounds a record of a stream of handovers (SPEC §10.6).
	HandoverRecordBytesMax = 512 * 1024
	// ValidatorsMax bounds validators in a set, and signatures in a certificate.
	ValidatorsMax = 128
	// NameBytesMax bounds a legal name, in each language.
	NameBytesMax = 512
	// LeafBytesMax bounds a leaf.
	LeafBytesMax = 512
	// InclusionHashesMax bounds an inclusion proof.
	InclusionHashesMax = 64
	// MapDepthMax bounds the bits of a path in the map (SPEC §9.11).
	MapDepthMax = 256
	// MapValueBytesMax bounds a value in the map.
	MapValueBytesMax = 75
	// MapEntriesMax bounds answers of the map in one proof (SPEC §10.7).
	MapEntriesMax = 3
	// MapAlgorithmsMax bounds revoked algorithms in one proof.
	MapAlgorithmsMax = 64

	// RegistryRecordsMax bounds records of organisations in one proof (SPEC §10.11).
	RegistryRecordsMax = 129
	// RegistryNodesMax bounds nodes of the state's tries in one proof.
	RegistryNodesMax = 4096
	// RegistryNodeBytesMax bounds one of them.
	RegistryNodeBytesMax = 1024
	// TaxIDBytesMax bounds a 統一編號.
	TaxIDBytesMax = 8
	// LEIBytesMax bounds an LEI.
	LEIBytesMax = 20
	// JurisdictionBytesMax bounds a jurisdiction.
	JurisdictionBytesMax = 2

	varintBytesMax = 9
	roundMax       = 1<<32 - 2
)
