== one
-- rows: select * from kept_numbers order by a; select * from words order by a; select id, x, y from times order by id; select * from lists order by id; select * from prefixes order by id; select * from odd_types; select * from `order`; select * from sizes order by id; select * from parent order by id; select * from child order by id
create table kept_numbers (a int not null, b int not null auto_increment, c varchar(10), primary key (a), key kb (b));
create table words (a varchar(20), b varchar(20) character set latin1, c char(5) collate utf8mb4_bin, d text) default charset=utf8mb4 collate utf8mb4_general_ci;
create table times (id int primary key, stamp timestamp not null default current_timestamp on update current_timestamp, x datetime(3) default null, y timestamp null default '2001-01-01 00:00:00');
create table lists (id int primary key, e enum('a','b') not null default 'a', s set('x','y') default 'x,y');
create table prefixes (id int primary key, a varchar(200), b text, c blob, key ka (a(10)), key kb (b(20)), unique key kc (c(5)), fulltext key words (b), key kd (a(3) desc) comment 'first');
create table odd_types (a bit(4) default b'1010', b decimal(10,2) not null default 1.50, c float default 1.5, d int(6) zerofill, e tinyint(1) default 1, f uuid default uuid(), g inet6, h int invisible default 4);
create table `order` (`select` int primary key, `Group By` varchar(10), `back``tick` int, key `in``dex` (`back``tick`), constraint `ch``k` check (`select` > 0));
create table sizes (id int primary key, a tinytext, b text compressed, c mediumblob, d varbinary(10), e bigint comment 'why;') comment 'one' row_format=compact;
create table parent (id int primary key, code char(3) not null, up int, unique key uc (code), constraint self foreign key (up) references parent (id));
create table child (id int primary key check (id > 0), pid int, code char(3), n int, constraint fk1 foreign key (pid) references parent (id) on delete cascade on update set null, constraint fkc foreign key (code) references parent (code) on update cascade, check (n < 100));
create algorithm=merge view v1 as select id from parent where id > 0 with cascaded check option;
create sql security invoker view v2 as select id from v1;
insert into kept_numbers (a, c) values (1, 'x'), (5, 'y'), (7, 'z');
insert into words values ('é', 'è', 'ab', 'long'), ('a ', 'b', null, '');
insert into times values (1, '2001-01-01 00:00:00', '2020-01-01 00:00:00.123', '2001-01-01 00:00:00');
insert into lists values (1, 'a', 'x'), (2, 'b', 'x,y'), (3, 'b', null);
insert into prefixes values (1, 'aaa', 'bbb', 'ccc'), (2, 'aaa', 'bbb', 'ddd');
insert into odd_types values (b'11', 2.25, 1.25, 3, 0, '123e4567-e89b-12d3-a456-426655440000', '::1');
insert into `order` values (1, 'x', 2);
insert into sizes values (1, 'a', 'b', 'c', 'd', 5);
insert into parent values (1, 'abc', null), (2, 'def', 1);
insert into child values (1, 1, 'abc', 9), (2, null, null, null);
== two
-- rows: select * from kept_numbers order by a; select * from words order by a; select id, x, y from times order by id; select * from lists order by id; select * from prefixes order by id; select * from odd_types; select * from `order`; select * from sizes order by id; select * from parent order by id; select * from child order by id
create table kept_numbers (a int not null, b bigint unsigned not null auto_increment, c varchar(10), primary key (a), key kb (b), key kbc (c, b));
create table words (a varchar(20) character set utf8mb4 collate utf8mb4_general_ci, b varchar(20) character set utf8mb4 collate utf8mb4_general_ci, c char(5) character set utf8mb4 collate utf8mb4_unicode_ci, d text character set utf8mb4 collate utf8mb4_bin, e set('p','q') character set utf8mb4 collate utf8mb4_general_ci) default charset=latin1;
create table times (id int primary key, stamp timestamp(6) not null default current_timestamp(6) on update current_timestamp(6), x datetime(3) default current_timestamp(3) on update current_timestamp(3), y timestamp not null default current_timestamp());
create table lists (id int primary key, e enum('b','a','c''d') not null default 'c''d', s set('x','y','z') default '');
create table prefixes (id int primary key, a varchar(200), b text, c blob, key ka (a), key kb (b(30), a(3)), unique key kc (c(8)), fulltext key words (a, b), key kd (a(3)) comment 'sec''ond');
create table odd_types (a bit(8) default b'101', b decimal(12,4) not null default 2, c double default 2.5, d int(8) unsigned zerofill, e tinyint default 0, f uuid, g inet6 default '::', h int default 4);
create table `order` (`select` bigint primary key, `Group By` varchar(10) not null default 'a`b', `back``tick` int, `ключ` int, key `in``dex` (`back``tick`, `ключ`), constraint `ch``k` check (`select` >= 1 or `Group By` = '`'));
create table sizes (id int primary key, a text, b longtext, c longblob, d varbinary(300), e bigint comment 'it''s \\ back') comment 'it''s "two"' row_format=dynamic;
create table parent (id bigint unsigned primary key, code char(5) not null, up bigint unsigned, note text, unique key uc (code), constraint self foreign key (up) references parent (id) on delete cascade);
create table child (id int primary key check (id >= 0), pid bigint unsigned, code char(5), n int, constraint fk1 foreign key (pid) references parent (id) on delete set null on update cascade, constraint fkc foreign key (code) references parent (code), constraint few check (n < 1000));
create algorithm=temptable view v1 as select id, code from parent where id > 1;
create sql security definer view v2 as select id, concat(code, '!') as loud from v1;
create view v3 (x, y) as select id, loud from v2;
insert into kept_numbers (a, c) values (1, 'x'), (5, 'y'), (7, 'z');
insert into words (a, b, c, d) values ('e', 'è', 'ab', 'long'), ('a ', 'b', null, '');
insert into times values (1, '2001-01-01 00:00:00', '2020-01-01 00:00:00.123', '2001-01-01 00:00:00');
insert into lists values (1, 'a', 'x'), (2, 'b', 'x,y'), (3, 'b', null);
insert into prefixes values (1, 'aaa', 'bbb', 'ccc'), (2, 'aaa', 'bbb', 'ddd');
insert into odd_types values (b'11', 2.25, 1.25, 3, 0, '123e4567-e89b-12d3-a456-426655440000', '::1', 7);
insert into `order` values (1, 'x', 2, 3);
insert into sizes values (1, 'a', 'b', 'c', 'd', 5);
insert into parent values (1, 'abc', null, 'n'), (2, 'def', 1, null);
insert into child values (1, 1, 'abc', 9), (2, null, null, null);
