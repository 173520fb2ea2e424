/// Every command with its name in `text` and `json` and its number in `raw`.
package enum CommandName: String, Sendable, Hashable, CaseIterable {
    case backup, restore, archive, delete, shutdown, status, ping, retain, expunge, decrypt, encrypt, decompress
    case compress, info, verify, annotate, mode, progress, retention, copy
    case listBackup = "list-backup"
    case statusDetails = "status details"
    case configurationReload = "conf reload"
    case configurationList = "conf ls"
    case configurationGet = "conf get"
    case configurationSet = "conf set"
    case configurationCheck = "conf check"
    case walFetch = "wal-fetch"
    case walPush = "wal-push"
    case walList = "wal ls"
    case targetList = "target ls"
    case targetCheck = "target check"
    case masterKey = "master-key"
    case userAdd = "user add"
    case userEdit = "user edit"
    case userDelete = "user del"
    case userList = "user ls"
    case initialize = "init"
    case keyList = "key list"
    case keyAdd = "key add"
    case keyRemove = "key remove"
    case keyRotate = "key rotate"

    /// The number; those up to 25 and from 100 are those of the reference system.
    package var number: Int {
        switch self {
        case .backup: 1
        case .listBackup: 2
        case .restore: 3
        case .archive: 4
        case .delete: 5
        case .shutdown: 6
        case .status: 7
        case .statusDetails: 8
        case .ping: 9
        case .configurationReload: 11
        case .retain: 12
        case .expunge: 13
        case .decrypt: 14
        case .encrypt: 15
        case .decompress: 16
        case .compress: 17
        case .info: 18
        case .verify: 19
        case .annotate: 20
        case .configurationList: 21
        case .configurationGet: 22
        case .configurationSet: 23
        case .mode: 24
        case .progress: 25
        case .configurationCheck: 30
        case .retention: 31
        case .copy: 32
        case .walFetch: 33
        case .walPush: 34
        case .walList: 37
        case .targetList: 35
        case .targetCheck: 36
        case .masterKey: 100
        case .userAdd: 101
        case .userEdit: 102
        case .userDelete: 103
        case .userList: 104
        case .initialize: 105
        case .keyList: 106
        case .keyAdd: 107
        case .keyRemove: 108
        case .keyRotate: 109
        }
    }
}
