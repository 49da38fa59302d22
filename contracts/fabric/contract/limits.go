package contract

// Named maxima, with their units (SPEC §17.5).
const (
	// ArgumentBytesMax bounds the argument of a transaction.
	ArgumentBytesMax = 2 * 1024 * 1024
	// HandoversMax bounds the handovers of one UpdateClient.
	HandoversMax = 16
	// MSPIDBytesMax bounds the id of an organisation's MSP.
	MSPIDBytesMax = 64
	// UnitBytesMax bounds the organisational unit that makes a client an administrator.
	UnitBytesMax = 64
	// ReasonBytesMax bounds why somebody pauses.
	ReasonBytesMax = 256
	// CertificateBytesMax bounds a client's certificate.
	CertificateBytesMax = 16 * 1024
	// SubjectBytesMax bounds the subject of a client's certificate.
	SubjectBytesMax = 1024
	// MessageBytesMax bounds what a refusal says.
	MessageBytesMax = 1024
	// TrustPeriodMinSeconds and TrustPeriodMaxSeconds bound the trust period: an hour, 365 days.
	TrustPeriodMinSeconds = 3600
	TrustPeriodMaxSeconds = 365 * 24 * 3600
	// ClockDriftMaxMs is how far a checkpoint may be ahead of the transaction's time, and the
	// transaction's time behind the newest checkpoint.
	ClockDriftMaxMs = 600_000

	inclusionHashesMax = 48
	// Heights, times, sizes and sequence numbers stay below, as in leaves (SPEC §9.3).
	numberMax = 1<<48 - 1
)
