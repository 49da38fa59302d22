/**
 * Attested documents on a Corda ledger: states that hold the proof of an attestation, and a
 * contract that verifies it in every transaction (SPEC §10.4). The contract is a function of the
 * transaction alone: no clock, no network, no file, no service.
 */
package tbsi.cordapp;
