== first
-- rows: select code, v from m order by 1; select * from n order by 1
create table m (code varchar(10) not null, v int, primary key (code));
create table n (id int not null, m_code varchar(10) not null, primary key (id), constraint n_m foreign key (m_code) references m (code));
insert into m values ('a',1),('b',2);
insert into n values (1,'a'),(7,'b');
== second
-- rows: select code, v from m order by 1; select * from n order by 1
-- arrives: select code, v from m order by 1; select * from n order by 1
create table m (id int unsigned not null auto_increment, code varchar(10) not null, v int, primary key (id), unique key code (code));
create table n (id int not null auto_increment, m_code varchar(10) not null, primary key (id), constraint n_m foreign key (m_code) references m (code));
insert into m (code,v) values ('a',1),('b',2);
insert into n values (1,'a'),(7,'b');
== first again
create table m (code varchar(10) not null, v int, primary key (code));
create table n (id int not null, m_code varchar(10) not null, primary key (id), constraint n_m foreign key (m_code) references m (code));
insert into m values ('a',1),('b',2);
insert into n values (1,'a'),(7,'b');
