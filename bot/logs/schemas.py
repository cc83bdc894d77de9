"""The columns of the tables that Tocsin's rules read most, with their types.

From https://learn.microsoft.com/azure/azure-monitor/reference/tables-index. `AzureDiagnostics` holds the columns of
Key Vault's audit events only: the real table grows with what each workspace sends to it, and so does the local one.
"""

from __future__ import annotations

from collections.abc import Mapping

_BY_TYPE: Mapping[str, Mapping[str, str]] = {
    "AzureDiagnostics": {
        "datetime": "TimeGenerated",
        "string": (
            "_ResourceId _SubscriptionId addrAuthType_s algorithm_s CallerIPAddress Category clientInfo_s "
            "CorrelationId id_s identity_claim_appid_g "
            "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g "
            "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s identity_claim_ipaddr_s "
            "identity_claim_oid_g identity_claim_upn_s identity_claim_xms_mirid_s Level OperationName "
            "OperationVersion requestUri_s Resource ResourceGroup ResourceId ResourceProvider ResourceType "
            "ResultDescription ResultSignature ResultType SourceSystem subnetId_s SubscriptionId TenantId "
            "tlsVersion_s Type"
        ),
        "long": "DurationMs",
        "real": "httpStatusCode_d",
        "bool": "isAccessPolicyMatch_b isAddressAuthorized_b isRbacAuthorized_b",
        "dynamic": "AdditionalFields",
    },
    "AZKVAuditLogs": {
        "string": (
            "_IsBillable _ResourceId _SubscriptionId AddressAuthorizationType Algorithm AppliedAssignmentId "
            "CallerIpAddress ClientInfo CorrelationId HsmPoolResourceId Id OperationName OperationVersion "
            "RequestUri ResultDescription ResultSignature ResultType SourceSystem SubnetId TenantId Tlsversion "
            "TrustedService Type"
        ),
        "real": "_BilledSize",
        "dynamic": (
            "CertificateIssuerProperties CertificatePolicyProperties CertificateProperties "
            "CertificateRequestProperties Identity KeyProperties NetworkAcls Nsp Properties SecretProperties Sku "
            "StorageAccountProperties StorageSasDefinitionProperties VaultProperties"
        ),
        "int": "DurationMs HttpStatusCode SoftDeleteRetentionInDays",
        "bool": (
            "EnabledForDeployment EnabledForDiskEncryption EnabledForTemplateDeployment EnablePurgeProtection "
            "EnableRbacAuthorization EnableSoftDelete IsAccessPolicyMatch IsAddressAuthorized IsRbacAuthorized"
        ),
        "datetime": "TimeGenerated",
    },
    "AzureActivity": {
        "string": (
            "_IsBillable _ResourceId _SubscriptionId ActivityStatus ActivityStatusValue ActivitySubstatus "
            "ActivitySubstatusValue Authorization Caller CallerIpAddress Category CategoryValue Claims "
            "CorrelationId EventDataId Hierarchy HTTPRequest Level OperationId OperationName OperationNameValue "
            "Properties Resource ResourceGroup ResourceId ResourceProvider ResourceProviderValue SourceSystem "
            "SubscriptionId TenantId Type"
        ),
        "dynamic": "Authorization_d Claims_d Properties_d",
        "real": "_BilledSize",
        "datetime": "TimeGenerated EventSubmissionTimestamp",
    },
    "SigninLogs": {
        "string": (
            "_IsBillable AADTenantId AlternateSignInName AppDisplayName AppId AppliedConditionalAccessPolicies "
            "AppOwnerTenantId AuthenticationAppDeviceDetails AuthenticationAppPolicyEvaluationDetails "
            "AuthenticationContextClassReferences AuthenticationDetails AuthenticationMethodsUsed "
            "AuthenticationProcessingDetails AuthenticationProtocol AuthenticationRequirement "
            "AuthenticationRequirementPolicies AuthenticatorAppLocation AutonomousSystemNumber Category "
            "ClientAppUsed ClientCredentialType ConditionalAccessAudiences ConditionalAccessStatus CorrelationId "
            "CrossTenantAccessType FederatedCredentialId GlobalSecureAccessIpAddress HomeTenantId HomeTenantName "
            "Id Identity IncomingTokenType IPAddress IPAddressFromResourceProvider Level Location "
            "NetworkLocationDetails OperationName OperationVersion OriginalRequestId OriginalTransferMethod "
            "ProcessingTimeInMilliseconds Resource ResourceDisplayName ResourceGroup ResourceId ResourceIdentity "
            "ResourceOwnerTenantId ResourceProvider ResourceServicePrincipalId ResourceTenantId ResultDescription "
            "ResultSignature ResultType RiskDetail RiskEventTypes RiskEventTypes_V2 RiskLevel RiskLevelAggregated "
            "RiskLevelDuringSignIn RiskState ServicePrincipalId ServicePrincipalName SessionId "
            "SessionLifetimePolicies SignInIdentifier SignInIdentifierType SourceAppClientId SourceSystem "
            "TokenIssuerName TokenIssuerType Type UniqueTokenIdentifier UserAgent UserDisplayName UserId "
            "UserPrincipalName UserType"
        ),
        "dynamic": (
            "Agent AppliedEventListeners ConditionalAccessPolicies DeviceDetail LocationDetails MfaDetail Status "
            "TokenProtectionStatusDetails"
        ),
        "real": "_BilledSize",
        "datetime": "TimeGenerated CreatedDateTime",
        "long": "DurationMs",
        "bool": "FlaggedForReview IsInteractive IsRisky IsTenantRestricted IsThroughGlobalSecureAccess",
    },
    "AuditLogs": {
        "string": (
            "_IsBillable AADOperationType AADTenantId ActivityDisplayName Category CorrelationId Id Identity "
            "Level Location LoggedByService OperationName OperationVersion Resource ResourceGroup ResourceId "
            "ResourceProvider Result ResultDescription ResultReason ResultSignature ResultType SourceSystem Type"
        ),
        "datetime": "TimeGenerated ActivityDateTime",
        "dynamic": "AdditionalDetails InitiatedBy TargetResources",
        "real": "_BilledSize",
        "long": "DurationMs",
    },
}

_SQL = {
    "string": "VARCHAR",
    "datetime": "TIMESTAMP",
    "long": "BIGINT",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "dynamic": "JSON",
}

# Azure types a custom column by its suffix: https://learn.microsoft.com/azure/azure-monitor/reference/tables/azurediagnostics
_BY_SUFFIX = {"_s": "VARCHAR", "_g": "VARCHAR", "_d": "DOUBLE", "_b": "BOOLEAN", "_t": "TIMESTAMP"}


def _columns(by_type: Mapping[str, str]) -> dict[str, str]:
    return {name: _SQL[kind] for kind, names in by_type.items() for name in names.split()}


SHIPPED: Mapping[str, Mapping[str, str]] = {table: _columns(by_type) for table, by_type in _BY_TYPE.items()}
"""Table name to column name to DuckDB type."""


def type_by_suffix(column: str) -> str | None:
    """The DuckDB type that the name of a custom column promises (`httpStatusCode_d`), or None."""
    return _BY_SUFFIX.get(column[-2:])
