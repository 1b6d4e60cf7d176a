//! The allow-list: which members of AWS's requests and responses are kept, and as what.
//!
//! What is not here is not kept. A member belongs on a list only if AWS, and no person, chooses what is in it (`KEPT`),
//! or if it is a name, an id, an address or an ARN (`NAMES`).

use std::collections::HashSet;
use std::sync::OnceLock;

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Other members, or a list of them.
    Structure,
    /// A word, number, version or time of AWS's.
    Kept,
    /// A number alone.
    Number,
    /// A name, id, address or ARN.
    Name,
    /// The host of a database or a proxy.
    Host,
    /// A sentence of AWS's.
    Sentence,
    /// A policy document, or a structure of that name.
    Policy,
    /// A function's variables.
    Variables,
    /// Tags.
    Tags,
    /// A map from a name to words of AWS's.
    Stages,
    /// A setting of a database.
    Parameter,
    /// Anything else.
    Redacted,
}

const STRUCTURES: &str = "\
    accountlimit accountusage aliases associations associationset associationstate attachedpolicies auth \
    certificatedetails cidrblockassociationset cidrblockstate cidripset code compositealarms concurrency configuration \
    connectionpoolconfig connectionpoolconfiguration contextentries currentuserset dashboardentries \
    dashboardvalidationmessages dbcluster dbclusterendpoints dbclustermembers dbclusters dbinstance dbinstances \
    dbparametergroups dbproxies dbproxy dbproxyendpoint dbproxyendpoints dbproxytargetgroup dbproxytargets dbsubnetgroup \
    deadletterconfig destinationconfig dimensions entry entryset environment ephemeralstorage evaluationresults \
    eventsourcemappings filesystemconfigs filter filters functions gpuinfo groups groupset icmptypecode instances \
    instancetypeset ippermissions ippermissionsegress ipranges ipv6cidrblockassociationset ipv6ranges keymetadata layers \
    loggingconfig loggroups mainset masterusersecret memoryinfo messages metric metricalarms metricdatamessages \
    metricdataqueries metricdataresults metrics metricstat missingcontextvalues multiregionconfiguration networkaclset \
    networkinfo networkinterfaceset onfailure onsuccess optiongroupmemberships organizationsdecisiondetail \
    orgdecisiondetail pendingmodifiedvalues permissionsboundary permissionsboundarydecisiondetail policies policygroups \
    policyroles policyusers policyversion portrange portrangeset prefixlistids privatednsnameoptionsonlaunch processorinfo \
    propagatingvgwset provisionedconcurrencyconfigs quota recordingconfiguration referencedgroupinfo \
    resourcespecificresults revokedsecuritygroupruleset role rolelastused roles rotationrules routeset routetableset \
    routingconfig runtimeversionconfig scalingconfig scalingconfiguration searchedlogstreams secretlist \
    securitygrouparnset securitygroupinfo securitygroupruleset securitygroups serverlessv2scalingconfig \
    serverlessv2scalingconfiguration snapstart subnetavailabilityzone subnetoutpost subnets subnetset tagspecification \
    tagspecifications targetgroups targethealth targets tenancyconfig timestampstate tracingconfig unknownippermissionset \
    useridgrouppairs vcpuinfo versions vpcconfig vpcsecuritygroups vpcset";

const KEPT: &str = "\
    @time actionafterdefaulttrue actionnames actionsenabled activitystreammode activitystreamstatus adjustable age \
    alarmconfigurationupdatedtimestamp alarmtypes allocatedprovisionedconcurrentexecutions allocatedstorage allocationid \
    allowedmajorversionupgrade applicationloglevel applyimmediately applymethod applymode applyon applytype architectures \
    assignipv6addressoncreation associatepublicipaddress attachmentcount attributename authscheme auto \
    automaticallyafterdays autominorversionupgrade autorecoverysupported availableipaddresscount \
    availableprovisionedconcurrentexecutions backupretentionperiod backuptarget baremetal batchsize billedduration \
    bisectbatchonfunctionerror burst burstableperformancesupported bypasspolicylockoutsafetycheck cacertificateidentifier \
    capacity clientpasswordauthtype clustercreatetime clusterscalabilitytype code codesize codesizeunzipped codesizezipped \
    comparisonoperator complete concurrentexecutions connectionborrowtimeout connectionsupport contextkeyname \
    contextkeytype copytagstosnapshot createdate createddate createddatetime creationdate creationtime crossaccountclone \
    currentgeneration customermasterkeyspec customerownedipenabled databaseinsightsmode datapointstoalarm datatype date \
    dbclusterinstanceclass dbclusterparametergroupstatus dbinstanceclass dbinstancecount dbinstanceport dbinstancestatus \
    dbsystemid debuglogging dedicatedhostssupported dedicatedloggingvolume default defaultauthscheme defaultcores \
    defaultforaz defaultthreadspercore defaultvcpus defaultversionid deleteddate deletiondate deletionmode \
    deletionprotection deletionprotectionenabled destinationport direction dryrun duration durationms \
    earliestrestorabletime effect egress enabled enabledns64 enablemonitoring enableresourcenamednsaaaarecord \
    enableresourcenamednsarecord encryptionalgorithms endpointnetworktype endpointtype endtime engine enginefamily \
    enginelifecyclesupport enginemode engineversion ephemeralstorage errorcode evalactionname evaldecision \
    evaldecisiondetails evalresourcedecision evaluatelowsamplecountpercentile evaluationperiods evaluationstate \
    eventcategories excludepunctuation extendedstatistic field filterkey forcedeletewithoutrecovery forceoverwrite \
    formatversion freetiereligible freshness fromport functioncount functionversion global globalquota \
    globalwriteforwardingstatus hibernationsupported hostnametype hosttenancy httpendpointenabled hypervisor iamauth \
    iamdatabaseauthenticationenabled idleclienttimeout include includecpu includeduseridgroups includelinkedaccounts \
    instancecreatetime instancestoragesupported instancetenancy instancetype interleaved invocationtype iops ipaddresstype \
    ipprotocol iptype ipv6allowedfordualstack ipv6native isattachable isclusterwriter iscrossaccount isdefault \
    isdefaultversion isegress isipv6addressable ismodifiable isprimary istruncated keycount keymanager keyspec keystate \
    keyusage lastaccesseddate lastchangeddate lastmodified lastmodifieddate lastmodifiedtime lastrotateddate \
    lastupdatestatus lastupdatestatusreasoncode lastused lastuseddate latestrestorabletime licensemodel limit \
    localwriteforwardingstatus logformat loggroupclass logstreamname logtype main manufacturer mapcustomerownediponlaunch \
    mappubliciponlaunch matchedstatements maxallocatedstorage maxcapacity maxconnectionspercent maxdatapoints \
    maxidleconnections maxidleconnectionspercent maximumbatchingwindowinseconds maximumconcurrency \
    maximumrecordageinseconds maximumretryattempts maxitems maxrecords maxresults maxsessionduration memorysize \
    metricfiltercount metricname mincapacity mode monitoringinterval multiaz multiregion namespace networktype \
    networktypes nextrotationdate nitroenclavessupport onlyattached optimizationstatus orderby origin packagetype \
    parallelizationfactor parameterapplystatus passwordlength performanceinsightsenabled \
    performanceinsightsretentionperiod period permissionsboundarytype permissionsboundaryusagecount policyscope \
    policyusagefilter port potentialresult preferredbackupwindow preferredmaintenancewindow promotiontier protocol \
    publiclyaccessible publish quotacode quotaname reason recentlyactive recoveryid recoverywindowindays region \
    repositorytype requestedprovisionedconcurrentexecutions requiredservices requireeachincludedtype requiretls \
    reservedconcurrentexecutions resourcetype retentionindays return returndata rotationenabled ruleaction rulenumber \
    runtime scalingfactor scanby scheme secondstest secondsuntilautopause secretstatus servicecode servicename \
    sessionpinningfilters signingalgorithms size sizeinmib snapshotcreatetime source sourceip sourcetype startedat \
    startfromhead startingposition startingpositiontimestamp starttime stat state statereasoncode statetransition \
    statetransitionedat statetransitionedtimestamp stateupdatedtimestamp statevalue statistic status statuscode \
    storageencrypted storagethroughput storagetype storedbytes subnetgroupstatus subnetstatus supportedarchitectures \
    supportedbootmodes supportedfeatures supportedloginmodes supportednetworktypes supportedrootdevicetypes \
    supportedusageclasses supportedvirtualizationtypes sustainedclockspeedinghz systemloglevel targetconnectionnetworktype \
    targetrole threshold timeout timestamp timestamps topevents toport totalcodesize treatmissingdata truncated \
    tumblingwindowinseconds type unit unlimited unmask unreservedconcurrentexecutions updatedate updateddate \
    updateruntimeon upgraderolloutorder upgradetarget usagemetric validcores validityperiod validthreadspercore validto \
    version versionid versionstage versionstages virtualizationtype vpcdnsenabled";

const NAMES: &str = "\
    account accountid aclid actionprefix alarmactions alarmarn alarmname alarmnameprefix alarmnames aliasarn allocatedipid \
    allsubnets arn associatedroles associationid assumerolearn attributevalue availabilityzone availabilityzoneid \
    availabilityzones awsaccountid awsbackuprecoverypointarn awskmskeyid awsservicename carriergatewayid cidr cidrblock \
    cidrip cidripv4 cidripv6 codesha256 configsha256 contextkeyvalues corenetworkarn dashboardarn dashboardname \
    dashboardnameprefix dashboardnames databasename dbclusterarn dbclusterendpointarn dbclusteridentifier \
    dbclusteridentifiers dbclusterparametergroup dbclusterparametergroupfamily dbclusterparametergroupname \
    dbclusterresourceid dbclustersnapshotidentifier dbinstancearn dbinstanceidentifier dbinstanceidentifiers dbiresourceid \
    dbname dbparametergroupname dbproxyarn dbproxyendpointarn dbproxyendpointname dbproxyname dbsnapshotidentifier \
    dbsubnetgroup dbsubnetgrouparn dbsubnetgroupname defaultsecuritygroup destinationcidrblock destinationipv6cidrblock \
    destinationprefixlistid dhcpoptionsid egressonlygatewayid egressonlyinternetgatewayid enabledcloudwatchlogsexports \
    engineprefix evalresourcename eventsourcearn excludedmembers filtername functionarn functionname functions gatewayid \
    groupid groupids groupname groupnames groupownerid handler hostedzoneid id imageuri insightrulearn instanceid \
    instanceownerid instancetypes insufficientdataactions ipv6cidrblock keyarn keyid kmskeyarn kmskeyid label \
    localgatewayid localgatewayroutetableid loggroup loggrouparn loggroupidentifier loggroupname loggroupnamepattern \
    loggroupnameprefix masterarn masterusername monitoringrolearn name natgatewayid networkaclassociationid networkaclid \
    networkaclids networkinterfaceid networkinterfaceids newdbproxyendpointname newdbproxyname newname okactions \
    optiongroupname outpostarn ownerid owningaccount owningservice parametername path pathprefix \
    performanceinsightskmskeyid permissionsboundary permissionsboundaryarn policyarn policyid policyname policynames \
    policyscopearn policysourcearn prefixlistid primaryregion principalorgid qualifier rdsresourceid \
    readreplicadbclusteridentifiers readreplicadbinstanceidentifiers readreplicaidentifiers \
    readreplicasourcedbinstanceidentifier referencedgroupid replicationsourceidentifier requestedsubnets resource \
    resourcearn resourcearns resourceid resourcename resourceownerarn resources revisionid role rolearn roleid rolename \
    routetableassociationid routetableid routetableids runtimeversionarn secretarn secretid secrets securitygrouparn \
    securitygroupid securitygroupids securitygrouprulearn securitygroupruleid securitygroupruleids securitygroups \
    signingjobarn signingprofileversionarn sourcearn sourceidentifier staticmembers subnetarn subnetid subnetidentifier \
    subnetids targetarn targetdbclusteridentifier targetgrouparn targetgroupname thresholdmetricid topicarn \
    trackedclusterid transitgatewayid userid username uuid vpcendpointid vpcid vpcids vpcpeeringconnectionid \
    vpcsecuritygroupid vpcsecuritygroupids vpcsubnetids";

/// Decided by the member around it, or by the service.
#[expect(clippy::match_same_arms, reason = "the first row that fits decides, and rows of one matter stand together")]
fn special(service: &str, parent: &str, member: &str) -> Option<Class> {
    Some(match (service, parent, member) {
        (_, _, "policy" | "policydocument" | "assumerolepolicydocument" | "document") => Class::Policy,
        ("lambda", "", "list") => Class::Kept,
        ("secretsmanager", _, "versionid") => Class::Name,
        (_, "environment", "variables") => Class::Variables,
        (_, _, "tags" | "taglist" | "tagset" | "tag") => Class::Tags,
        (_, _, "versionidstostages" | "secretversionstostages") => Class::Stages,
        (_, "routingconfig", "additionalversionweights") => Class::Stages,
        (_, "dbinstance" | "dbinstances", "endpoint") => Class::Structure,
        (_, "endpoint", "address") => Class::Host,
        (_, _, "endpoint" | "readerendpoint" | "customendpoints") => Class::Host,
        ("rds", "", "events") => Class::Structure,
        ("rds", "events", "message") => Class::Sentence,
        (_, "targethealth", "description") => Class::Sentence,
        (_, _, "statereason" | "lastupdatestatusreason" | "statetransitionreason" | "lastprocessingresult") => {
            Class::Sentence
        }
        (_, "environment", "error") => Class::Structure,
        (_, "parameters", "parametervalue") => Class::Parameter,
        (_, "filters" | "filter", "name" | "key" | "type") => Class::Kept,
        (_, "filters" | "filter", "values" | "value") => Class::Name,
        (_, "dimensions", "name") => Class::Kept,
        (_, "dimensions", "value") => Class::Name,
        (_, "quota", "value") | (_, "metricdataresults", "values") => Class::Number,
        (_, "subnetavailabilityzone", "name") => Class::Name,
        (_, _, "value" | "values" | "key") => Class::Redacted,
        ("ec2", _, "groups" | "groupset") => Class::Structure,
        ("lambda", "code", _) if member != "repositorytype" && member != "imageuri" => Class::Redacted,
        _ => return None,
    })
}

fn listed(list: &'static OnceLock<HashSet<String>>, text: &str, member: &str) -> bool {
    list.get_or_init(|| text.split_ascii_whitespace().map(str::to_lowercase).collect()).contains(member)
}

/// What a member holds, by its name and that of the member around it; both in lower case.
pub(crate) fn class(service: &str, parent: &str, member: &str) -> Class {
    static STRUCTURE: OnceLock<HashSet<String>> = OnceLock::new();
    static KEEP: OnceLock<HashSet<String>> = OnceLock::new();
    static NAME: OnceLock<HashSet<String>> = OnceLock::new();
    if let Some(class) = special(service, parent, member) {
        class
    } else if listed(&STRUCTURE, STRUCTURES, member) {
        Class::Structure
    } else if listed(&KEEP, KEPT, member) {
        Class::Kept
    } else if listed(&NAME, NAMES, member) {
        Class::Name
    } else {
        Class::Redacted
    }
}

/// Members that are structures in one answer and names in another: a text under such a name is a name.
pub(crate) fn also_name(member: &str) -> bool {
    static NAME: OnceLock<HashSet<String>> = OnceLock::new();
    listed(&NAME, NAMES, member)
}

/// Members that are structures in one answer and words of AWS's in another.
pub(crate) fn also_kept(member: &str) -> bool {
    static KEEP: OnceLock<HashSet<String>> = OnceLock::new();
    listed(&KEEP, KEPT, member)
}

/// Bodies that are never even parsed: they consist of a secret.
pub(crate) fn unread(service: &str, operation: &str) -> (bool, bool) {
    match (service, operation) {
        ("secretsmanager", "getsecretvalue" | "getrandompassword") | ("pricing", _) => (false, true),
        ("secretsmanager", "createsecret" | "putsecretvalue" | "updatesecret") => (true, false),
        ("lambda", "invoke") => (true, true),
        _ => (false, false),
    }
}
