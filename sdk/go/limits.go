package tbsi

// Named maxima, with their units (SPEC §3.2, §9.3, §10).
const (
	// BundleBytesMax bounds a proof in compact form.
	BundleBytesMax = 8 * 1024 * 1024
	// BundleJSONBytesMax bounds a proof in JSON form.
	BundleJSONBytesMax = 32 * 1024 * 1024
	// HandoversMax bounds the changes of the validator set that one bundle follows.
	HandoversMax = 256
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

	varintBytesMax = 9
	roundMax       = 1<<32 - 2
)
