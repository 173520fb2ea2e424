import Testing
import TestSupport

@Suite struct ClusterTests {
    @Test(arguments: try PostgresVersions.installed)
    func `a server of every supported version starts and answers`(major: Int) throws {
        let cluster = try PostgresCluster.start(major)

        #expect(try cluster.psql("SHOW server_version_num").hasPrefix("\(major)"))
        try cluster.restart(.immediate)
        #expect(try cluster.psql("SELECT 1") == "1")
    }
}
